#!/usr/bin/env python3
"""transformers on cuda:0, for gpu.py; prints one JSON line: gpu_hf.py embed MODEL FASTA | fold MODEL SEQUENCE
fp32|tf32|bf16. Only the passes are timed, not loading and not a pass before them."""

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


def fold(folder, sequence, arithmetic):
    torch.backends.cuda.matmul.allow_tf32 = arithmetic == "tf32"
    model = transformers.EsmForProteinFolding.from_pretrained(folder).eval().cuda()
    model.esm = model.esm.bfloat16()
    if len(sequence) > 512:
        model.trunk.set_chunk_size(128)
    letters = {letter: place for place, letter in enumerate("ARNDCQEGHILKMFPSTWYV")}
    aatype = torch.tensor([[letters[letter] for letter in sequence]]).cuda()
    with torch.autocast("cuda", torch.bfloat16, enabled=arithmetic == "bf16"):
        model(aatype, num_recycles=0)
        return {"seconds": timed(lambda: model(aatype, num_recycles=3))}


def main():
    torch.set_grad_enabled(False)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    task = {"embed": embed, "fold": fold}[sys.argv[1]]
    print(json.dumps(task(*sys.argv[2:])))


if __name__ == "__main__":
    main()
