"""Weights that follow from a list of seeds, the same numbers in Python and in C++ (tests/seeded_model.h): number
i of a tensor is shift + scale * (k - 1024) / 1024, where k are the upper 11 bits of output i of the generator SplitMix64
(Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators") from `seed` on. `scale` is a power of two,
so that every step is exact."""

import json
import math

import numpy as np

GAMMA = 0x9E3779B97F4A7C15
UNIFORM = math.sqrt(3)  # the half-width of a uniform distribution of variance 1


def seeded_values(seed, count):
    """`count` multiples of 1/1024 from -1 on, below 1."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(GAMMA)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return ((z >> np.uint64(53)).astype(np.float64) - 1024) / 1024


def seeded_array(entry):
    values = entry["shift"] + entry["scale"] * seeded_values(entry["seed"], math.prod(entry["shape"]))
    return values.astype(np.float32).reshape(entry["shape"])


def listed_array(entry):
    """Of a list that write_list has written: what is made from a seed, or what is written down."""
    if "values" in entry:
        return np.array(entry["values"], entry["dtype"]).reshape(entry["shape"])
    return seeded_array(entry)


def power_of_two(deviation):
    """The half-width nearest to what gives this standard deviation."""
    return 2.0 ** round(math.log2(UNIFORM * deviation))


def write_list(path, seeded, stored):
    """`seeded`: name -> entry; `stored`: name -> tensor whose numbers are written down."""
    tensors = [{"name": name, **entry} for name, entry in seeded.items()]
    tensors += [
        {"name": name, "shape": list(tensor.shape), "dtype": str(tensor.dtype).removeprefix("torch."),
         "values": tensor.flatten().tolist()}
        for name, tensor in stored.items()
    ]  # fmt: skip
    tensors.sort(key=lambda tensor: tensor["name"])
    path.write_text("[\n" + ",\n".join(json.dumps(tensor) for tensor in tensors) + "\n]\n")
