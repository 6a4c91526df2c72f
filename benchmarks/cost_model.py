#!/usr/bin/env python3
"""Compares the cost model's arithmetic with measured times: sequences of many lengths, each a batch of its own, and
Spearman's rank correlation of the two. Needs Debian's python3-h5py.

    /usr/bin/python3 benchmarks/cost_model.py --pleat build/bin/pleat --model FOLDER [--fold]
"""

import argparse
import json
import random
import subprocess
import tempfile
from pathlib import Path

import h5py
import numpy as np

LETTERS = "ACDEFGHIKLMNPQRSTVWY"


def ranks(values):
    order = np.argsort(values, kind="stable")
    result = np.empty(len(values))
    result[order] = np.arange(len(values))
    return result


def measured_seconds(options, lengths, folder):
    source = random.Random(1)
    records = [f">{i}\n{''.join(source.choices(LETTERS, k=length))}\n" for i, length in enumerate(lengths)]
    (folder / "in.fasta").write_text("".join(records))
    manifest = {"version": 1, "model": str(options.model.resolve()), "inputs": ["in.fasta"], "output": "out.h5"}
    manifest["run"] = {"max_tokens_per_batch": 8}
    manifest["tasks"] = {"structure": {"num_recycles": 0}} if options.fold else {"embeddings": True}
    (folder / "m.yaml").write_text(json.dumps(manifest))
    subprocess.run([options.pleat.resolve(), "run", folder / "m.yaml", "--progress", "none"], check=True)
    with h5py.File(folder / "out.h5") as file:
        return file["records/seconds"][:]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pleat", type=Path, required=True, help="the program to measure")
    parser.add_argument("--model", type=Path, required=True, help="a folder with config.json and weights")
    parser.add_argument("--fold", action="store_true", help="fold, with a folding model")
    options = parser.parse_args()
    lengths = np.unique(np.geomspace(30, 400 if options.fold else 1000, 60).astype(int)).tolist()
    random.Random(2).shuffle(lengths)
    with tempfile.TemporaryDirectory() as folder:
        seconds = measured_seconds(options, lengths, Path(folder))
    # The cost rises with the length, so the ranks of costs are those of lengths.
    correlation = np.corrcoef(ranks(lengths), ranks(seconds))[0, 1]
    print(f"{len(lengths)} lengths from {min(lengths)} to {max(lengths)}: rank correlation {correlation:.4f}")


if __name__ == "__main__":
    main()
