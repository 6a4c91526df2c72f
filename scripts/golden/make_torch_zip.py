#!/usr/bin/env python3
"""Writes tests/data/torch_zip: small files of torch.save, sound ones in every protocol and ones that pleat refuses.
scripts/golden/run's environment has the right version of PyTorch.

    make_torch_zip.py [FOLDER]        default: tests/data/torch_zip

Every run writes the same bytes, except for legacy.bin, which names its storages by their address.
"""

import sys
from collections import OrderedDict
from pathlib import Path

import torch


def sound():
    matrix = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    tensors = OrderedDict(
        {
            "float": matrix,
            "tied": matrix,
            "second_row": matrix[1:],
            "half": torch.tensor([1, -2], dtype=torch.float16),
            "bfloat16": torch.tensor([1, 3], dtype=torch.bfloat16).reshape(2, 1, 1),
            "int64": torch.tensor([-1, 1 << 40]),
            "uint8": torch.tensor([7], dtype=torch.uint8),
            "scalar": torch.tensor(3.5),
            "empty": torch.zeros(0, 4),
        }
    )
    # What torch.nn.Module.state_dict attaches.
    tensors._metadata = OrderedDict({"": {"version": 1}, "layer": {"version": 1}})
    return tensors


def refused():
    matrix = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    return {
        "transposed": {"a": matrix.T},
        "expanded": {"a": torch.zeros(2).expand(4, 2)},
        "double": {"a": matrix.double()},
        "parameter": {"a": torch.nn.Parameter(matrix)},
        "training": {"model": {"a": matrix}, "epoch": 3},
        "module": torch.nn.Linear(2, 3),
        "list": [matrix],
    }


def main():
    default = Path(__file__).resolve().parents[2] / "tests/data/torch_zip"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    folder.mkdir(parents=True, exist_ok=True)
    for protocol in (2, 3, 4, 5):
        torch.save(sound(), folder / f"protocol{protocol}.bin", pickle_protocol=protocol)
    torch.manual_seed(0)
    for name, value in refused().items():
        torch.save(value, folder / f"{name}.bin")
    torch.save(sound(), folder / "legacy.bin", _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    main()
