"""The published ESM-2 shapes that are measured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    layers: int
    hidden: int
    heads: int
    proteins: int  # how many are embedded by default: a run takes minutes, not hours

    @property
    def intermediate(self):
        return 4 * self.hidden

    @property
    def linear_flops_per_token(self):
        return linear_flops_per_token(self.layers, self.hidden, self.intermediate)


SHAPES = {
    "8M": Shape(layers=6, hidden=320, heads=20, proteins=512),
    "35M": Shape(layers=12, hidden=480, heads=20, proteins=256),
    "150M": Shape(layers=30, hidden=640, heads=20, proteins=128),
    "650M": Shape(layers=33, hidden=1280, heads=20, proteins=40),
}


def linear_flops_per_token(layers, hidden, intermediate):
    """Two operations per weight of the six linear layers of each block; attention itself is not counted."""
    return layers * 2 * (4 * hidden * hidden + 2 * hidden * intermediate)
