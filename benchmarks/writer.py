#!/usr/bin/env python3
"""How fast pleat puts the result file together, beside plain h5py with the same filters and chunks on the same numbers.
Needs Debian's python3-h5py.

    /usr/bin/python3 benchmarks/writer.py --pleat build/bin/pleat [--rounds 3]
"""

import argparse
import json
import random
import subprocess
import tempfile
import time
from pathlib import Path

import h5py

MODEL = Path(__file__).resolve().parents[1] / "tests/data/esm2/head16"
LETTERS = "ACDEFGHIKLMNPQRSTVWY"
LAYERS = (0, 1, 2)


def run_pleat(pleat, folder):
    """The numbers of the file, their chunks, and the seconds that the file took once all was computed."""
    command = [pleat.resolve(), "run", folder / "m.yaml", "--overwrite", "--progress", "none"]
    subprocess.run([*command, "--summary-json", folder / "summary.json"], check=True, capture_output=True)
    seconds = json.loads((folder / "summary.json").read_text())["seconds_finish"]
    with h5py.File(folder / "out.h5") as file:
        stored = [file[f"embeddings/layer_{layer:02d}/per_residue"] for layer in LAYERS]
        return [dataset[:] for dataset in stored], stored[0].chunks, seconds


def run_h5py(arrays, chunks, folder):
    begin = time.perf_counter()
    with h5py.File(folder / "h5py.h5", "w") as file:
        for layer, array in zip(LAYERS, arrays):
            filters = {"compression": "gzip", "compression_opts": 4, "shuffle": True, "fletcher32": True}
            file.create_dataset(str(layer), data=array, chunks=chunks, **filters)
    return time.perf_counter() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pleat", type=Path, required=True, help="the program to measure")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = random.Random(1)
        records = [f">{i}\n{''.join(source.choices(LETTERS, k=source.randint(100, 400)))}\n" for i in range(4000)]
        (folder / "in.fasta").write_text("".join(records))
        tasks = {"embeddings": {"layers": list(LAYERS)}}
        manifest = {"version": 1, "model": str(MODEL), "inputs": ["in.fasta"], "output": "out.h5", "tasks": tasks}
        (folder / "m.yaml").write_text(json.dumps(manifest))
        for _ in range(options.rounds):
            arrays, chunks, own = run_pleat(options.pleat, folder)
            megabytes = sum(array.nbytes for array in arrays) / 1e6
            other = run_h5py(arrays, chunks, folder)
            print(f"{megabytes:.0f} MB: pleat {megabytes / own:.0f} MB/s, h5py {megabytes / other:.0f} MB/s: "
                  f"{other / own:.2f} times as fast")


if __name__ == "__main__":
    main()
