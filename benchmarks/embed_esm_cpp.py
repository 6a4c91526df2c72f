#!/usr/bin/env python3
"""Embeds a FASTA file with esm-cpp and prints one JSON line. Only its scheduled forward over all sequences is timed: loading, tokenising and warming up are not, and nothing is written."""

import argparse
import json
import resource
import sys
import time
from importlib.metadata import version
from pathlib import Path

import esm_cpp
import numpy as np


def read_sequences(path):
    return ["".join(record.split("\n")[1:]) for record in path.read_text().split(">")[1:]]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path, help="esm_cpp.safetensors of make_model.py")
    parser.add_argument("fasta", type=Path)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--int8", action="store_true", help="quantised in memory; calibration would change no speed")
    options = parser.parse_args()
    model = esm_cpp.Model.load_from_safetensors(str(options.weights))
    if esm_cpp.Model.num_threads != options.threads:  # read-only; OpenMP decides
        sys.exit(f"esm-cpp has {esm_cpp.Model.num_threads} threads, not {options.threads}: set OMP_NUM_THREADS")
    if options.int8:
        model.quantize_weights()
    tokenizer = esm_cpp.Tokenizer()
    sequences = read_sequences(options.fasta)
    batches = [np.asarray(tokenizer.encode(sequence), dtype=np.int32) for sequence in sequences]
    model.forward_scheduled(batches[:2])
    begin = time.perf_counter()
    model.forward_scheduled(batches)
    seconds = time.perf_counter() - begin
    print(
        json.dumps(
            {
                "seconds": seconds,
                "residues": sum(map(len, sequences)),
                "tokens": sum(map(len, batches)),
                "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                "instructions": esm_cpp.current_isa(),
                "esm_cpp": version("esm-cpp"),
            }
        )
    )


if __name__ == "__main__":
    main()
