#!/usr/bin/env python3
"""The exact pseudo-perplexity of each protein of a FASTA file with Hugging Face transformers; prints one JSON line. Each
residue is masked in turn, in a copy by itself or in batches of copies of one protein, which need no padding. Loading
and one pass before them are not timed."""

import argparse
import json
import resource
import time
from pathlib import Path

import torch
import transformers
from embed_hf import read_sequences


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("fasta", type=Path)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[options.precision]
    tokenizer = transformers.EsmTokenizer.from_pretrained(options.model)
    model = transformers.EsmForMaskedLM.from_pretrained(options.model, dtype=dtype, attn_implementation="sdpa")
    model = model.eval().to(options.device)
    sequences = sorted(read_sequences(options.fasta), key=len)

    def pseudo_perplexity(sequence):
        tokens = tokenizer(sequence, return_tensors="pt")["input_ids"][0].to(options.device)
        total = 0.0
        for first in range(1, len(sequence) + 1, options.batch):
            places = torch.arange(first, min(first + options.batch, len(sequence) + 1), device=options.device)
            copies = tokens.repeat(len(places), 1)
            rows = torch.arange(len(places), device=options.device)
            copies[rows, places] = tokenizer.mask_token_id
            logits = model(copies, attention_mask=torch.ones_like(copies)).logits[rows, places]
            total += torch.log_softmax(logits.float(), dim=-1)[rows, tokens[places]].sum().item()
        return float(torch.exp(torch.tensor(-total / len(sequence))))

    pseudo_perplexity(sequences[0])
    begin, processor = time.perf_counter(), time.process_time()
    scores = [pseudo_perplexity(sequence) for sequence in sequences]
    print(json.dumps({
        "seconds": time.perf_counter() - begin,
        "processor_seconds": time.process_time() - processor,
        "residues": sum(map(len, sequences)),
        "tokens": sum(len(sequence) * (len(sequence) + 2) for sequence in sequences),
        "mean": sum(scores) / len(scores),
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }))


if __name__ == "__main__":
    main()
