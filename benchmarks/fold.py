#!/usr/bin/env python3
"""Measures pleat beside transformers' EsmForProteinFolding and prints a markdown table: one sequence of each length, one
pass through the published trunk of 48 blocks with random weights and the 8M language model.

Time is that of the pass: language model, trunk, structure module, heads; not loading, not writing. Hugging Face runs
with malloc as installed and with malloc told to keep its pages. The runs of a length take turns, the machine's matrix
multiplication rate between them, and every figure is a median. GFLOP/s counts the trunk's arithmetic,
73,728 L^3 + 4.94e7 L^2 + 1.32e9 L.
"""

import argparse
import json
import os
import random
import statistics
import sys
from pathlib import Path

from processes import HERE, TUNED, machine, run_child, sgemm

HF_RUNS = {"HF": {}, "HF, malloc tuned": TUNED}
MANIFEST = """version: 1
model: {model}
inputs: [fold.fasta]
output: fold.h5
tasks:
  structure: {{num_recycles: 0, pae: true}}
run: {{devices: cpu, precision: fp32}}
"""


def trunk_flops(length, blocks=48):
    return (73728 * length**3 + 4.94e7 * length**2 + 1.32e9 * length) * blocks / 48


def model_of(work, blocks):
    folder = work / "models" / f"fold-{blocks}"
    if not (folder / "model.safetensors").exists():
        run_child([sys.executable, HERE / "make_fold_model.py", folder, blocks])
    return folder


def sequence_of(length, number=0):
    return "".join(random.Random(1000 * number + length).choices("ACDEFGHIKLMNPQRSTVWY", k=length))


def run_pleat(pleat, model, length, work):
    (work / "fold.yaml").write_text(MANIFEST.format(model=json.dumps(str(model))))
    # Beside the first sequences pleat reads and hashes the weights once more: short ones come several times.
    repeats = 1 + 512 // length if length < 256 else 1
    records = [f">{number}\n{sequence_of(length, number)}\n" for number in range(repeats)]
    (work / "fold.fasta").write_text("".join(records))
    command = [pleat, "run", work / "fold.yaml", "--overwrite", "--progress", "none"]
    command += ["--set", "run.max_tokens_per_batch=8", "--summary-json", work / "fold-summary.json"]
    _, peak, _ = run_child(command)
    times = run_child(["h5dump", "-d", "/records/seconds", "-y", "-w", "0", work / "fold.h5"])[2]
    numbers = [line for line in times.split("DATA {")[1].split("}")[0].replace(",", " ").split()]
    return {"seconds": statistics.median(map(float, numbers[repeats // 2 :])), "peak_rss_bytes": peak}


def run_hf(model, length, threads, extra_env):
    command = [sys.executable, HERE / "fold_hf.py", model, sequence_of(length), threads]
    _, peak, output = run_child(command, extra_env)
    return {"seconds": json.loads(output)["seconds"], "peak_rss_bytes": peak}


def measure(length, options, threads):
    full = model_of(options.work, 48)
    blocks = options.hf_blocks if length >= options.hf_blocks_from else 48
    hf_model = model_of(options.work, blocks)
    runs = {name: [] for name in ["pleat", *HF_RUNS]}
    rates = [sgemm(threads)[0]]
    for _ in range(options.rounds):
        runs["pleat"].append(run_pleat(options.pleat, full, length, options.work))
        if length <= options.hf_until:
            for name, extra_env in HF_RUNS.items():
                runs[name].append(run_hf(hf_model, length, threads, extra_env))
        rates.append(sgemm(threads)[0])
        print(f"L = {length}: a round is done", file=sys.stderr)
    medians = {
        name: {key: statistics.median(run[key] for run in each) for key in each[0]}
        for name, each in runs.items()
        if each
    }
    return {
        "length": length,
        "sgemm_flops": statistics.median(rates),
        "hf_blocks": blocks,
        "weights_bytes": {48: (full / "model.safetensors").stat().st_size,
                          blocks: (hf_model / "model.safetensors").stat().st_size},
        "runs": runs,
        "median": medians,
    }


def lines_of(result):
    length, sgemm_flops = result["length"], result["sgemm_flops"]
    own = result["median"]["pleat"]["seconds"]
    for name, run in result["median"].items():
        scale = 1 if name == "pleat" else 48 / result["hf_blocks"]
        seconds = run["seconds"] * scale
        weights = result["weights_bytes"][48 if name == "pleat" else result["hf_blocks"]]
        mark = "" if scale == 1 else f" ({result['hf_blocks']} blocks, times {scale:.0f})"
        rate = trunk_flops(length) / seconds
        yield (
            f"| {length} | {name}{mark} | {seconds:.2f} | {rate / 1e9:.0f} | {100 * rate / sgemm_flops:.0f} % "
            f"| {run['peak_rss_bytes'] / 1e6:,.0f} | {(run['peak_rss_bytes'] - weights) / 1e6:,.0f} "
            f"| {seconds / own:.2f} |"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pleat", type=Path, required=True, help="the program to measure")
    parser.add_argument("--work", type=Path, required=True, help="folder for models and results")
    parser.add_argument("--lengths", default="64,128,256,384,512", help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--hf-until", type=int, default=384, help="longest sequence for Hugging Face: %(default)s")
    parser.add_argument("--hf-blocks", type=int, default=12, help="Hugging Face's trunk from --hf-blocks-from on")
    parser.add_argument("--hf-blocks-from", type=int, default=10**9, help="a length; its time is scaled to 48 blocks")
    options = parser.parse_args()

    options.work = options.work.resolve()
    options.work.mkdir(parents=True, exist_ok=True)
    threads = len(os.sched_getaffinity(0))
    print(f"{machine(threads)}, float32, {options.rounds} rounds, medians\n", flush=True)
    print("| L | run | seconds a pass | GFLOP/s | of SGEMM | peak memory, MB | above the weights, MB | time / pleat's |")
    print("| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
    results = []
    for length in map(int, options.lengths.split(",")):
        results.append(measure(length, options, threads))
        print("\n".join(lines_of(results[-1])), flush=True)
    own = {result["length"]: result["median"]["pleat"]["seconds"] for result in results}
    if 128 in own and 512 in own:
        predicted = trunk_flops(512) / trunk_flops(128)
        print(f"\nGrowth from 128 to 512: {own[512] / own[128]:.2f} times; the arithmetic grows {predicted:.2f} times.")
    (options.work / "fold.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
