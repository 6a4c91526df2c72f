#!/usr/bin/env python3
"""Measures the exact pseudo-perplexity by `pleat run` beside a plain loop over Hugging Face transformers, one masked copy
at a time and in batches of 8, and prints a markdown table.

pleat is measured as a whole process. Of transformers the passes alone are, with malloc as installed; in batches of 8 with
malloc told to keep its pages, too. All take turns for several rounds, and every figure is a median. The mean of the
scores must be the same.
"""

import argparse
import json
import math
import os
import statistics
import sys
from pathlib import Path

from processes import HERE, TUNED, machine, run_child
from select_proteins import EXAMPLES, select_proteins
from shapes import SHAPES

MANIFEST = """version: 1
model: {model}
inputs: [{fasta}]
output: scoring.h5
tasks: {{scoring: {{mode: exact}}}}
run: {{devices: "{device}", precision: {precision}}}
"""
HF_RUNS = {
    "HF, one copy at a time": (1, {}),
    "HF, batches of 8": (8, {}),
    "HF, batches of 8, malloc tuned": (8, TUNED),
}
# Between float32 and bfloat16 at most, of a mean over proteins.
TOLERANCES = {"fp32": 1e-3, "bf16": 5e-2}


def run_pleat(options, model, fasta):
    manifest, summary = options.work / "scoring.yaml", options.work / "scoring.json"
    manifest.write_text(MANIFEST.format(model=json.dumps(str(model)), fasta=fasta.name, device=options.device,
                                        precision=options.precision))
    seconds, peak, _ = run_child([options.pleat, "run", manifest, "--overwrite", "--progress", "none",
                                  "--summary-json", summary])
    rows = run_child([options.pleat, "export", options.work / "scoring.h5", "--format", "csv", "--what", "scores",
                      "--output", "-"])[2].splitlines()[1:]
    measured = json.loads(summary.read_text())
    return {
        "seconds": seconds,
        "residues": measured["residues"],
        "tokens": measured["tokens"],
        "mean": statistics.mean(float(row.rsplit(",", 1)[1]) for row in rows),
        "peak_rss_bytes": peak,
    }


def run_hf(options, model, fasta, threads, batch, extra_env):
    command = [sys.executable, HERE / "scoring_hf.py", model, fasta, "--threads", threads, "--batch", batch,
               "--precision", options.precision, "--device", options.device]
    _, peak, output = run_child(command, extra_env)
    return json.loads(output) | {"peak_rss_bytes": peak}


def measure_shape(name, options, threads):
    model = options.work / "models" / name
    if not (model / "vocab.txt").exists():  # written last
        run_child([sys.executable, HERE / "make_model.py", name, model])
    fasta = options.work / f"scoring_{name}.fasta"
    select_proteins(options.proteins, fasta, options.proteins_from)
    planned = {"pleat": lambda: run_pleat(options, model, fasta)}
    for label, (batch, extra) in HF_RUNS.items():
        if extra and options.device != "cpu":
            continue
        planned[label] = lambda batch=batch, extra=extra: run_hf(options, model, fasta, threads, batch, extra)
    runs = {label: [] for label in planned}
    for number in range(options.rounds):
        for label, measure in planned.items():
            runs[label].append(measure())
        print(f"{name}: round {number + 1} of {options.rounds} is done", file=sys.stderr)
    everything = [run for each in runs.values() for run in each]
    if len({(run["residues"], run["tokens"]) for run in everything}) != 1:
        sys.exit(f"{name}: the programs did not score the same residues")
    for run in everything:
        if not math.isclose(run["mean"], everything[0]["mean"], rel_tol=TOLERANCES[options.precision]):
            sys.exit(f"{name}: the mean scores differ: {run['mean']} and {everything[0]['mean']}")
    return {label: {key: statistics.median(run[key] for run in each) for key in each[0]} for label, each in runs.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pleat", type=Path, required=True, help="the program to measure")
    parser.add_argument("--work", type=Path, required=True, help="folder for models and results")
    parser.add_argument("--shapes", default="8M", help="default: %(default)s")
    parser.add_argument("--proteins", type=int, default=16)
    parser.add_argument("--proteins-from", type=Path, default=EXAMPLES, help="a FASTA file, packed by gzip")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--device", default="cpu", help="cpu or cuda:0; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    options.work = options.work.resolve()
    options.work.mkdir(parents=True, exist_ok=True)
    threads = len(os.sched_getaffinity(0))
    print(f"{machine(threads)}, {options.device}, {options.precision}, {options.rounds} rounds, medians", flush=True)
    for name in options.shapes.split(","):
        if name not in SHAPES:
            parser.error(f"unknown shape {name}; there are {', '.join(SHAPES)}")
        median = measure_shape(name, options, threads)
        pleat = median["pleat"]
        print(f"\n### {name}: {pleat['residues']:,.0f} residues, {pleat['tokens']:,.0f} tokens in all copies\n")
        print("| run | seconds | tokens/s | peak memory, MB | time / pleat's |")
        print("| --- | ---: | ---: | ---: | ---: |")
        for label, run in median.items():
            print(f"| {label} | {run['seconds']:.2f} | {run['tokens'] / run['seconds']:,.0f} "
                  f"| {run['peak_rss_bytes'] / 1e6:,.0f} | {run['seconds'] / pleat['seconds']:.2f} |", flush=True)


if __name__ == "__main__":
    main()
