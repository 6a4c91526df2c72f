#!/usr/bin/env python3
"""Measures `pleat run` beside Hugging Face transformers on the same proteins, and prints a markdown table.

pleat is measured as a whole process: start, reading, weights, forward, writing. Hugging Face is measured for its
forward calls alone, in batches of 8, sorted by length and not, with malloc as installed and with malloc told to keep
its pages. All take turns for several rounds, the machine's matrix multiplication rate between them, and every figure is
a median.

This program must not load anything large: a child's peak memory, as the kernel counts it, is at least its parent's.
"""

import argparse
import json
import os
import statistics
import sys
from pathlib import Path

from processes import HERE, TUNED, machine, run_child, sgemm
from select_proteins import select_proteins
from shapes import SHAPES

HF_RUNS = {
    "HF sorted": ([], {}),
    "HF unsorted": (["--unsorted"], {}),
    "HF sorted, malloc tuned": ([], TUNED),
    "HF unsorted, malloc tuned": (["--unsorted"], TUNED),
}
MANIFEST = """version: 1
model: {model}
inputs: [{fasta}]
output: {output}
tasks:
  embeddings: {{layers: [-1], per_residue: true, mean: true, dtype: float16}}
run: {{devices: cpu, precision: fp32}}
"""


def run_pleat(pleat, model, fasta, work):
    manifest, summary = work / "embed.yaml", work / "summary.json"
    manifest.write_text(MANIFEST.format(model=json.dumps(str(model)), fasta=fasta.name, output="embed.h5"))
    command = [pleat, "run", manifest, "--overwrite", "--progress", "none", "--summary-json", summary]
    seconds, peak, _ = run_child(command)
    measured = json.loads(summary.read_text())
    return {
        "seconds": seconds,
        "seconds_forward": measured["seconds_forward"],
        "seconds_startup": measured["seconds_startup"],
        "residues": measured["residues"],
        "tokens": measured["tokens"],
        "peak_rss_bytes": peak,
    }


def run_hf(model, fasta, threads, name):
    options, extra_env = HF_RUNS[name]
    command = [sys.executable, HERE / "embed_hf.py", model, fasta, "--threads", threads, *options]
    _, peak, output = run_child(command, extra_env)
    result = json.loads(output) | {"peak_rss_bytes": peak}
    return result | {"seconds_forward": result["seconds"]}


def median_of(runs):
    numbers = [key for key, value in runs[0].items() if isinstance(value, int | float)]
    return {key: statistics.median(run[key] for run in runs) for key in numbers}


def measure_shape(name, options, threads):
    shape = SHAPES[name]
    model = options.work / "models" / name
    if not (model / "vocab.txt").exists():  # written last
        run_child([sys.executable, HERE / "make_model.py", name, model])
    fasta = options.work / f"{name}.fasta"
    select_proteins(options.proteins or shape.proteins, fasta)
    runs = {run: [] for run in ["pleat", *HF_RUNS]}
    rates = [sgemm(threads)]
    for number in range(options.rounds):
        runs["pleat"].append(run_pleat(options.pleat, model, fasta, options.work))
        for run in HF_RUNS:
            runs[run].append(run_hf(model, fasta, threads, run))
        rates.append(sgemm(threads))
        print(f"{name}: round {number + 1} of {options.rounds} is done", file=sys.stderr)
    if len({(run["residues"], run["tokens"]) for each in runs.values() for run in each}) != 1:
        sys.exit(f"{name}: pleat and Hugging Face did not embed the same residues")
    return {
        "shape": name,
        "linear_flops_per_token": shape.linear_flops_per_token,
        "weights_bytes": (model / "model.safetensors").stat().st_size,
        "sgemm_flops": statistics.median(mm for mm, _ in rates),
        "onednn_flops": statistics.median(onednn for _, onednn in rates),
        "sgemm_all": rates,
        "runs": runs,
        "median": {run: median_of(each) for run, each in runs.items()},
    }


def table(result):
    pleat = result["median"]["pleat"]
    yield (
        f"\n### {result['shape']}: {pleat['residues']:,.0f} residues, SGEMM {result['sgemm_flops'] / 1e9:.0f} GFLOP/s "
        f"(oneDNN {result['onednn_flops'] / 1e9:.0f}), weights {result['weights_bytes'] / 1e6:,.0f} MB\n"
    )
    yield "| run | seconds | residues/s | linear layers, GFLOP/s | of SGEMM | peak memory, MB | time / pleat's |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for name, run in result["median"].items():
        rate = result["linear_flops_per_token"] * run["tokens"] / run["seconds_forward"]
        yield (
            f"| {name} | {run['seconds']:.2f} | {run['residues'] / run['seconds']:,.0f} | {rate / 1e9:.0f} "
            f"| {100 * rate / result['sgemm_flops']:.0f} % | {run['peak_rss_bytes'] / 1e6:,.0f} "
            f"| {run['seconds'] / pleat['seconds']:.2f} |"
        )
    above = pleat["peak_rss_bytes"] - result["weights_bytes"]
    yield (
        f"\npleat: {pleat['seconds_startup']:.2f} s from start to first batch, {pleat['seconds_forward']:.2f} s in "
        f"the forward, peak memory {above / 1e6:,.0f} MB above the weights."
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pleat", type=Path, required=True, help="the program to measure")
    parser.add_argument("--work", type=Path, required=True, help="folder for models and results")
    parser.add_argument("--shapes", default=",".join(SHAPES), help="default: %(default)s")
    parser.add_argument("--proteins", type=int, help="default: fewer for larger models")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    shapes = options.shapes.split(",")
    unknown = [name for name in shapes if name not in SHAPES]
    if unknown:
        parser.error(f"unknown shape {', '.join(unknown)}; there are {', '.join(SHAPES)}")

    options.work = options.work.resolve()  # the manifest written there names the model by its full path
    options.work.mkdir(parents=True, exist_ok=True)
    threads = len(os.sched_getaffinity(0))
    results = []
    print(f"{machine(threads)}, float32, {options.rounds} rounds, medians", flush=True)
    for name in shapes:
        results.append(measure_shape(name, options, threads))
        print("\n".join(table(results[-1])), flush=True)
    (options.work / "embed.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
