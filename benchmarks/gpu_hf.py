#!/usr/bin/env python3
"""transformers on cuda:0, for gpu.py; prints one JSON line: gpu_hf.py embed MODEL FASTA | fold MODEL SEQUENCE
fp32|tf32|bf16 | fold_many MODEL FASTA fp32|tf32|bf16 NUMBER. Only the passes are timed, not loading and not a pass
before them."""

import json
import sys
import time
from pathlib import Path

import torch
import transformers
from embed_hf import read_sequences, tokenise


def timed(work):
    torch.cuda.synchronize()
    begin = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - begin


def embed(folder, fasta):
    sequences = sorted(read_sequences(Path(fasta)), key=len)
    batches = [{key: value.cuda() for key, value in batch.items()} for batch in tokenise(folder, sequences, 32)]
    model = transformers.EsmModel.from_pretrained(
        folder, dtype=torch.bfloat16, attn_implementation="sdpa", add_pooling_layer=False
    ).eval().cuda()

    def run():
        for batch in batches:
            model(**batch)

    model(**batches[-1])
    seconds = timed(run)
    return {"tokens_per_second": (sum(map(len, sequences)) + 2 * len(sequences)) / seconds}


def seconds_of_folds(folder, sequences, arithmetic):
    """Of four passes over each sequence, after one pass over the first."""
    torch.backends.cuda.matmul.allow_tf32 = arithmetic == "tf32"
    model = transformers.EsmForProteinFolding.from_pretrained(folder).eval().cuda()
    model.esm = model.esm.bfloat16()
    if max(map(len, sequences)) > 512:
        model.trunk.set_chunk_size(128)
    letters = {letter: place for place, letter in enumerate("ARNDCQEGHILKMFPSTWYVX")}
    inputs = [torch.tensor([[letters.get(letter, 20) for letter in sequence]]).cuda() for sequence in sequences]
    with torch.autocast("cuda", torch.bfloat16, enabled=arithmetic == "bf16"):
        model(inputs[0], num_recycles=0)
        return [timed(lambda: model(aatype, num_recycles=3)) for aatype in inputs]


def fold(folder, sequence, arithmetic):
    return {"seconds": seconds_of_folds(folder, [sequence], arithmetic)[0]}


def fold_many(folder, fasta, arithmetic, number):
    """Of `number` of the sequences, evenly by length."""
    ordered = sorted(read_sequences(Path(fasta)), key=len)
    count = min(int(number), len(ordered))
    chosen = [ordered[(2 * i + 1) * len(ordered) // (2 * count)] for i in range(count)]
    return {"structures_per_minute": 60 * count / sum(seconds_of_folds(folder, chosen, arithmetic))}


def main():
    torch.set_grad_enabled(False)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    task = {"embed": embed, "fold": fold, "fold_many": fold_many}[sys.argv[1]]
    print(json.dumps(task(*sys.argv[2:])))


if __name__ == "__main__":
    main()
