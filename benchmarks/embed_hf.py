#!/usr/bin/env python3
"""Embeds a FASTA file with Hugging Face transformers and prints one JSON line. Only the forward calls are timed:
loading, tokenising and one batch of warming up are not, and nothing is written."""

import argparse
import json
import resource
import time
from pathlib import Path

import torch
import transformers
from shapes import linear_flops_per_token


def read_sequences(path):
    return ["".join(record.split("\n")[1:]) for record in path.read_text().split(">")[1:]]


def tokenise(folder, sequences, batch_size):
    tokenizer = transformers.EsmTokenizer.from_pretrained(folder)
    return [
        tokenizer(sequences[start : start + batch_size], return_tensors="pt", padding=True)
        for start in range(0, len(sequences), batch_size)
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("fasta", type=Path)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--unsorted", action="store_true", help="keep the order of the file: more padding")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    sequences = read_sequences(options.fasta)
    if not options.unsorted:
        sequences.sort(key=len)
    batches = tokenise(options.model, sequences, options.batch)
    model = transformers.EsmModel.from_pretrained(
        options.model, dtype={"fp32": torch.float32, "bf16": torch.bfloat16}[options.precision], attn_implementation="sdpa", add_pooling_layer=False
    ).eval()
    model(**batches[0])

    begin = time.perf_counter()
    for batch in batches:
        model(**batch)
    seconds = time.perf_counter() - begin

    config = model.config
    residues = sum(map(len, sequences))
    tokens = residues + 2 * len(sequences)
    per_token = linear_flops_per_token(config.num_hidden_layers, config.hidden_size, config.intermediate_size)
    result = {
        "seconds": seconds,
        "residues": residues,
        "tokens": tokens,
        "padded_tokens": sum(batch["input_ids"].numel() for batch in batches),
        "linear_flops": per_token * tokens,  # of real tokens only, so that padding does not count as work done
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "threads": options.threads,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
