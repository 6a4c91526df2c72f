#!/usr/bin/env python3
"""Compares the cost model's arithmetic with measured times: mixes of sequences of many lengths, the operations that
pleat plan counts for each mix, the processor time of pleat run, and Spearman's rank correlation of the two. All mixes
hold about as many residues, so that it is not their size that is compared; processor time, since others may use the
machine.

    /usr/bin/python3 benchmarks/cost_model.py --pleat build/bin/pleat --model FOLDER [--fold] [--residues 12000]
"""

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import tempfile
from pathlib import Path

LETTERS = "ACDEFGHIKLMNPQRSTVWY"


def ranks(values):
    order = sorted(range(len(values)), key=values.__getitem__)
    return [order.index(i) for i in range(len(values))]


def correlation(first, second):
    return statistics.correlation(ranks(first), ranks(second))


def mix(source, residues, longest):
    """Lengths about a length of their own, as proteins' are; a third of the mixes has one long sequence as well."""
    typical = source.uniform(0.1, 0.5) * longest
    lengths = [longest] if source.random() < 1 / 3 else []
    while sum(lengths) < residues:
        lengths.append(max(10, min(longest, int(source.lognormvariate(0, 0.6) * typical))))
    return lengths


def write_job(options, lengths, folder):
    source = random.Random(1)
    records = [f">{i}\n{''.join(source.choices(LETTERS, k=length))}\n" for i, length in enumerate(lengths)]
    (folder / "in.fasta").write_text("".join(records))
    manifest = {"version": 1, "model": str(options.model.resolve()), "inputs": ["in.fasta"], "output": "out.h5"}
    manifest["tasks"] = {"structure": {"num_recycles": 0}} if options.fold else {"embeddings": {"per_residue": False}}
    (folder / "m.yaml").write_text(json.dumps(manifest))


def pleat(options, folder, *arguments):
    command = [options.pleat.resolve(), *arguments]
    environment = os.environ | {"OMP_WAIT_POLICY": "passive"}  # waiting is no work
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder, env=environment).stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pleat", type=Path, required=True, help="the program to measure")
    parser.add_argument("--model", type=Path, required=True, help="a folder with config.json and weights")
    parser.add_argument("--fold", action="store_true", help="fold, with a folding model")
    parser.add_argument("--mixes", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3, help="of all mixes in turn; the median of each counts")
    parser.add_argument("--residues", type=int, default=12000, help="of each mix, at least")
    parser.add_argument("--longest", type=int, help="residues of the longest sequence (default 2000, or 300 to fold)")
    options = parser.parse_args()
    source = random.Random(2)
    longest = options.longest or (300 if options.fold else 2000)
    mixes = [mix(source, options.residues, longest) for _ in range(options.mixes)]
    seconds = [[] for _ in mixes]
    flops = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for measured in range(options.rounds):
            for lengths, times in zip(mixes, seconds):
                write_job(options, lengths, folder)
                if measured == 0:
                    flops.append(json.loads(pleat(options, folder, "plan", "m.yaml", "--json"))["flops"])
                before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
                pleat(options, folder, "run", "m.yaml", "--overwrite", "--progress", "none")
                times.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before)
    medians = [statistics.median(times) for times in seconds]
    rates = [cost / time / 1e9 for cost, time in zip(flops, medians)]
    print(f"{len(mixes)} mixes of about {options.residues} residues, up to {longest} each; the dearest costs "
          f"{max(flops) / min(flops):.2f} times the cheapest, {min(rates):.0f} to {max(rates):.0f} GFLOP/s: "
          f"rank correlation of cost and time {correlation(flops, medians):.3f}, "
          f"of residues and time {correlation([sum(lengths) for lengths in mixes], medians):.3f}")


if __name__ == "__main__":
    main()
