#!/usr/bin/env python3
"""Measures `pleat run` beside Hugging Face transformers and esm-cpp on the same proteins, and prints a markdown table.

pleat is measured as a whole process: start, reading, weights, forward, writing. Hugging Face is measured for its
forward calls alone, in batches of 8, sorted by length and not, with malloc as installed and with malloc told to keep
its pages; in bfloat16 only at its best, sorted and with malloc tuned. esm-cpp is measured for its forward alone too. All
take turns for several rounds, the machine's matrix multiplication rate between them, and every figure is
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
BEST_HF_RUN = "HF sorted, malloc tuned"
MANIFEST = """version: 1
model: {model}
inputs: [{fasta}]
output: {output}
tasks:
  embeddings: {{layers: [-1], per_residue: true, mean: true, dtype: float16}}
run: {{devices: cpu, precision: {precision}}}
"""


def run_pleat(pleat, model, fasta, work, precision):
    manifest, summary = work / "embed.yaml", work / "summary.json"
    manifest.write_text(MANIFEST.format(model=json.dumps(str(model)), fasta=fasta.name, output="embed.h5",
                                        precision=precision))
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


def run_hf(model, fasta, threads, options, extra_env):
    command = [sys.executable, HERE / "embed_hf.py", model, fasta, "--threads", threads, *options]
    _, peak, output = run_child(command, extra_env)
    result = json.loads(output) | {"peak_rss_bytes": peak}
    return result | {"seconds_forward": result["seconds"]}


def run_esm_cpp(python, model, fasta, threads, int8):
    command = [python, HERE / "embed_esm_cpp.py", model / "esm_cpp.safetensors", fasta, "--threads", threads]
    _, peak, output = run_child([*command, *(["--int8"] if int8 else [])])
    result = json.loads(output) | {"peak_rss_bytes": peak}
    return result | {"seconds_forward": result["seconds"]}


def planned_runs(options, model, fasta, threads):
    """Name of each run -> what measures it."""
    runs = {}
    for precision in options.precision:
        name = "pleat" if precision == "fp32" else "pleat, bfloat16"
        runs[name] = lambda precision=precision: run_pleat(options.pleat, model, fasta, options.work, precision)
    for name, (arguments, extra_env) in HF_RUNS.items():
        for precision in options.precision:
            if precision == "bf16" and name != BEST_HF_RUN:
                continue
            given = [*arguments, "--precision", precision]
            label = name if precision == "fp32" else f"{name}, bfloat16"
            runs[label] = lambda given=given, extra=extra_env: run_hf(model, fasta, threads, given, extra)
    if options.esm_cpp:
        for name, int8 in {"esm-cpp, float32": False, "esm-cpp, int8": True}.items():
            runs[name] = lambda int8=int8: run_esm_cpp(options.esm_cpp, model, fasta, threads, int8)
    return runs


def median_of(runs):
    numbers = [key for key, value in runs[0].items() if isinstance(value, int | float)]
    return {key: statistics.median(run[key] for run in runs) for key in numbers}


def measure_shape(name, options, threads):
    shape = SHAPES[name]
    model = options.work / "models" / name
    if not (model / "vocab.txt").exists() or not (model / "esm_cpp.safetensors").exists():
        run_child([sys.executable, HERE / "make_model.py", name, model])
    fasta = options.work / f"{name}.fasta"
    select_proteins(options.proteins or shape.proteins, fasta)
    planned = planned_runs(options, model, fasta, threads)
    runs = {run: [] for run in planned}
    rates = [sgemm(threads)]
    for number in range(options.rounds):
        for run, measure in planned.items():
            runs[run].append(measure())
        rates.append(sgemm(threads))
        print(f"{name}: round {number + 1} of {options.rounds} is done", file=sys.stderr)
    if len({(run["residues"], run["tokens"]) for each in runs.values() for run in each}) != 1:
        sys.exit(f"{name}: the programs did not embed the same residues")
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
    pleat = next(iter(result["median"].values()))
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
    parser.add_argument("--precision", default="fp32", help="fp32, bf16 or fp32,bf16; default: %(default)s")
    parser.add_argument("--esm-cpp", type=Path, help="a Python that has esm-cpp; default: leave it out")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    shapes = options.shapes.split(",")
    options.precision = options.precision.split(",")
    if not set(options.precision) <= {"fp32", "bf16"}:
        parser.error("--precision takes fp32, bf16 or fp32,bf16")
    unknown = [name for name in shapes if name not in SHAPES]
    if unknown:
        parser.error(f"unknown shape {', '.join(unknown)}; there are {', '.join(SHAPES)}")

    options.work = options.work.resolve()  # the manifest written there names the model by its full path
    options.work.mkdir(parents=True, exist_ok=True)
    threads = len(os.sched_getaffinity(0))
    results = []
    print(f"{machine(threads)}, {options.rounds} rounds, medians", flush=True)
    for name in shapes:
        results.append(measure_shape(name, options, threads))
        print("\n".join(table(results[-1])), flush=True)
    (options.work / "embed.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
