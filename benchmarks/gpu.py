#!/usr/bin/env python3
"""Measures pleat on cuda:0 beside transformers on the same GPU and prints three markdown tables: embedding in bfloat16
(transformers with sdpa, batches sorted by length and padded), one fold of each length with four passes (transformers
with its language model in bfloat16, its trunk in float32, with TF32 products and under bfloat16 autocast, and in chunks
where it is long, which is what fits), and the folds of many real proteins, four passes each. The runs take turns;
figures are medians. pleat's end-to-end rate is that of the whole process after its first batch, writing included; its
start is the time until that batch. Structures a minute are those of pleat's whole process, and of transformers' passes
over some of the proteins, chosen evenly by length, loading left out.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

from fold import model_of, sequence_of
from processes import HERE, run_child
from select_proteins import EXAMPLES, select_proteins
from shapes import SHAPES

EMBED = """version: 1
model: {model}
inputs: [gpu.fasta]
output: gpu.h5
tasks:
  embeddings: {{layers: [-1], per_residue: true, mean: true, dtype: float16}}
run: {{devices: "cuda:0", precision: bf16}}
"""
FOLD = """version: 1
model: {model}
inputs: [gpu.fasta]
output: gpu.h5
tasks:
  structure: {{num_recycles: 3, pae: true}}
run: {{devices: "{devices}", precision: {precision}{more}}}
"""
PRECISIONS = ("fp32", "tf32", "bf16")
# The least a pass over an H100's arithmetic takes, for four passes, in seconds.
FLOORS = {256: 0.055, 384: 0.130, 512: 0.232, 768: 0.579, 1024: 1.166}


def run_pleat(pleat, text, work):
    (work / "gpu.yaml").write_text(text)
    command = [pleat, "run", work / "gpu.yaml", "--overwrite", "--progress", "none"]
    run_child([*command, "--summary-json", work / "gpu.json"])
    return json.loads((work / "gpu.json").read_text())


def run_hf(task, model, *arguments):
    return json.loads(run_child([sys.executable, HERE / "gpu_hf.py", task, model, *arguments])[2])


def embed(options):
    print("| model | run | tokens/s | end to end, tokens/s | start, seconds | rate / transformers' |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for name in filter(None, options.shapes.split(",")):
        model = options.work / "models" / name
        if not (model / "vocab.txt").exists():  # written last
            run_child([sys.executable, HERE / "make_model.py", name, model])
        select_proteins(options.proteins, options.work / "gpu.fasta", options.proteins_from)
        own, other = [], []
        for _ in range(options.rounds):
            summary = run_pleat(options.pleat, EMBED.format(model=json.dumps(str(model))), options.work)
            tokens = summary["tokens"]
            own.append((tokens / summary["seconds_forward"],
                        tokens / (summary["seconds_total"] - summary["seconds_startup"]), summary["seconds_startup"]))
            other.append(run_hf("embed", model, options.work / "gpu.fasta")["tokens_per_second"])
        rate, whole, start = (statistics.median(each) for each in zip(*own))
        theirs = statistics.median(other)
        print(f"| {name} | pleat | {rate:,.0f} | {whole:,.0f} | {start:.2f} | {rate / theirs:.2f} |")
        print(f"| {name} | transformers | {theirs:,.0f} | | | 1 |", flush=True)


def fold_manifest(model, precision, devices="cuda:0", more=""):
    return FOLD.format(model=json.dumps(str(model)), precision=precision, devices=devices, more=more)


def seconds_of_records(work):
    dump = run_child(["h5dump", "-d", "/records/seconds", "-y", "-w", "0", work / "gpu.h5"])[2]
    return [float(number) for number in dump.split("DATA {")[1].split("}")[0].replace(",", " ").split()]


def fold(options):
    print("\n| L | run | seconds, 4 passes | times as fast as transformers' best | time / floor |")
    print("| ---: | --- | ---: | ---: | ---: |")
    model = model_of(options.work, 48)
    for length in map(int, filter(None, options.lengths.split(","))):
        # The first of the sequences warms up.
        records = [f">{number}\n{sequence_of(length, number)}\n" for number in range(3)]
        (options.work / "gpu.fasta").write_text("".join(records))
        own = {f"pleat, {precision}": [] for precision in PRECISIONS}
        theirs = {f"transformers, {precision}": [] for precision in PRECISIONS}
        for _ in range(options.rounds):
            for precision in PRECISIONS:
                # Each by itself, so that each has a time of its own.
                manifest = fold_manifest(model, precision, more=", max_tokens_per_batch: 8")
                run_pleat(options.pleat, manifest, options.work)
                own[f"pleat, {precision}"].append(statistics.median(seconds_of_records(options.work)[1:]))
                theirs[f"transformers, {precision}"].append(
                    run_hf("fold", model, sequence_of(length), precision)["seconds"]
                )
        best = min(map(statistics.median, theirs.values()))
        for name, each in (own | theirs).items():
            seconds = statistics.median(each)
            floor = f"{seconds / FLOORS[length]:.1f}" if length in FLOORS else ""
            ratio = best / seconds
            print(f"| {length} | {name} | {seconds:.3f} | {ratio:.2f} | {floor} |", flush=True)


def fold_many(options):
    print("\n| run | structures a minute | start, seconds | share of the time in which the GPU is given work |")
    print("| --- | ---: | ---: | ---: |")
    if options.structures == 0:
        return
    model = model_of(options.work, 48)
    fasta = options.work / "gpu.fasta"
    select_proteins(options.structures, fasta, options.proteins_from, shortest=50)
    for devices in ("cuda:0", "cuda:0*2"):
        summary = run_pleat(options.pleat, fold_manifest(model, "bf16", devices), options.work)
        total = summary["seconds_total"]
        busy = f"{sum(seconds_of_records(options.work)) / total:.2f}" if devices == "cuda:0" else ""
        print(f"| pleat, bf16, {devices} | {60 * options.structures / total:.1f} | "
              f"{summary['seconds_startup']:.2f} | {busy} |", flush=True)
    for precision in PRECISIONS:
        rate = run_hf("fold_many", model, fasta, precision, str(options.hf_structures))["structures_per_minute"]
        print(f"| transformers, {precision} | {rate:.1f} | | |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pleat", type=Path, required=True, help="the program to measure")
    parser.add_argument("--work", type=Path, required=True, help="folder for models and results")
    parser.add_argument("--shapes", default="150M,650M", help="of embedding; default: %(default)s, '': none")
    parser.add_argument("--proteins", type=int, default=4000)
    parser.add_argument("--proteins-from", type=Path, default=EXAMPLES, help="a FASTA file, packed by gzip")
    parser.add_argument("--lengths", default="64,128,256,384,512,768,1024",
                        help="of folding; default: %(default)s, '': none")
    parser.add_argument("--structures", type=int, default=1000, help="folds of real proteins; default: %(default)s")
    parser.add_argument("--hf-structures", type=int, default=20, help="of them by transformers; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    options.work = options.work.resolve()
    options.work.mkdir(parents=True, exist_ok=True)
    gpu = run_child(["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader", "--id=0"])[2].strip()
    print(f"{gpu}, {options.rounds} rounds, medians\n", flush=True)
    embed(options)
    fold(options)
    fold_many(options)


if __name__ == "__main__":
    main()
