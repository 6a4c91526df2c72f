#!/usr/bin/env python3
"""What a container costs: the same job by pleat on this host and in its image, in turns, each a whole process; and the
time from `docker run` to the first result of the demo. Needs a Docker engine, and real proteins (Debian's
mmseqs2-examples).

    /usr/bin/python3 benchmarks/container.py --pleat build/bin/pleat --image pleat:0.1.0-cpu
"""

import argparse
import gzip
import itertools
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
EXAMPLES = Path("/usr/share/doc/mmseqs2/example-data/DB.fasta.gz")


def in_container(image, folder):
    mounts = [f"--volume={path}:{path}" for path in (folder, REPOSITORY / "configs")]
    return ["docker", "run", "--rm", "--network=none", "--read-only", *mounts, f"--workdir={folder}", image, "pleat"]


def seconds_of(command):
    begin = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begin


def seconds_to_first_result(command):
    begin = time.perf_counter()
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        for line in process.stderr:
            if line.startswith("{") and json.loads(line)["sequences_done"] > 0:
                first = time.perf_counter() - begin
                process.communicate()
                return first
    raise SystemExit("the demo ended before its first result")


def write_job(folder, proteins):
    with gzip.open(EXAMPLES, "rt") as file:
        text = "".join(itertools.islice(file, 40 * proteins))
    entries = text.split("\n>")[:proteins]
    (folder / "in.fasta").write_text("\n>".join(entries) + "\n")
    model = REPOSITORY / "configs/demo/models/esm2-demo"
    manifest = {"version": 1, "model": str(model), "inputs": ["in.fasta"], "output": "out.h5"}
    (folder / "m.yaml").write_text(json.dumps(manifest | {"policy": {"fail_on": "none"}}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pleat", type=Path, required=True, help="the program on this host")
    parser.add_argument("--image", required=True)
    parser.add_argument("--proteins", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_job(folder, options.proteins)
        job = ["run", folder / "m.yaml", "--overwrite", "--progress", "none"]
        host, container = [], []
        for _ in range(options.rounds):
            host.append(seconds_of([options.pleat.resolve(), *job]))
            container.append(seconds_of([*in_container(options.image, folder), *job]))
        demo = [
            "run",
            REPOSITORY / "configs/demo/manifest.yaml",
            "--output",
            "demo.h5",
            "--overwrite",
            "--progress",
            "json",
        ]
        first = [seconds_to_first_result([*in_container(options.image, folder), *demo]) for _ in range(options.rounds)]
    ratios = [inside / outside for inside, outside in zip(container, host)]
    print(
        f"{options.proteins} proteins, {options.rounds} rounds, medians: host {statistics.median(host):.2f} s, "
        f"container {statistics.median(container):.2f} s, ratio {statistics.median(ratios):.4f} "
        f"({min(ratios):.4f} to {max(ratios):.4f})"
    )
    print(
        f"first result of the demo after docker run: {statistics.median(first):.2f} s "
        f"({min(first):.2f} to {max(first):.2f})"
    )


if __name__ == "__main__":
    main()
