"""What the golden data covers: model configurations, how each is stored, and the sequences."""

import random
from dataclasses import dataclass

STANDARD = "ACDEFGHIKLMNPQRSTVWY"
AMBIGUOUS = "XBUZO"


@dataclass(frozen=True)
class Case:
    name: str
    hidden_size: int
    heads: int
    layers: int
    intermediate_size: int
    dtype: str  # as stored; the reference computes with the rounded values in float32
    # How the checkpoint names its tensors:
    #   hub  transformers 4.x and the published files: an inv_freq per layer, unused absolute positions. The published
    #        inv_freq went through float16 in training, and the reference uses those values, not recomputed ones.
    #   v5   transformers 5.x: one esm.rotary_embeddings.inv_freq
    #   v5_original  what save_pretrained of 5.23 writes unless told otherwise: LayerNorm.gamma and .beta, and one
    #        inv_freq whose name holds a literal star
    layout: str
    lengths: tuple[int, ...]
    full_contacts: int = 64  # up to this length every contact is kept, beyond it a grid of samples
    token_dropout: bool = True
    norm_before: bool = False
    shard_size: str | None = None


CASES = (
    Case("head16", 64, 4, 2, 256, "float32", "v5", (1, 2, 7, 33, 64, 150, 1100)),
    Case("head24_odd_depth", 72, 3, 5, 200, "float16", "v5", (1, 7, 33, 150, 301), full_contacts=150),
    Case("head32_hub", 64, 2, 3, 192, "float32", "hub", (2, 7, 33, 64, 301, 1100)),
    Case("head64", 128, 2, 3, 256, "bfloat16", "v5", (1, 7, 33, 150)),
    Case("head128_shards", 128, 1, 2, 128, "float16", "v5", (2, 7, 64, 301), token_dropout=False, shard_size="200KB"),
    Case("head16_norm_before", 48, 3, 3, 192, "float32", "v5_original", (1, 7, 33, 150), norm_before=True),
)


def sequence(case, length):
    """Random residues. Every length of 7 and more holds X, B, U, Z and O."""
    source = random.Random(f"{case.name} {length}")
    residues = [source.choice(STANDARD) for _ in range(length)]
    if length >= len(AMBIGUOUS):
        for letter, place in zip(AMBIGUOUS, source.sample(range(length), len(AMBIGUOUS))):
            residues[place] = letter
    return "".join(residues)


def kept_tokens(length):
    """Rows of hidden states and logits that are kept, begin and end token counted: all, or 8 of each end and of the
    middle."""
    tokens = length + 2
    if tokens <= 35:
        return list(range(tokens))
    middle = tokens // 2 - 4
    return [*range(8), *range(middle, middle + 8), *range(tokens - 8, tokens)]


def kept_residues(case, length):
    """Residues whose contacts with each other are kept: all, or 24 spread evenly from the first to the last."""
    if length <= case.full_contacts:
        return list(range(length))
    return [index * (length - 1) // 23 for index in range(24)]
