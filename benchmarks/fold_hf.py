#!/usr/bin/env python3
"""Folds one sequence with transformers' EsmForProteinFolding, one pass, and prints one JSON line: fold_hf.py MODEL
SEQUENCE. Only the pass is timed: not loading, and not a short sequence before it."""

import json
import sys
import time
from pathlib import Path

import torch
import transformers


def main():
    model_folder, sequence, threads = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    model = transformers.EsmForProteinFolding.from_pretrained(model_folder, dtype=torch.float32).eval()
    letters = {letter: place for place, letter in enumerate("ARNDCQEGHILKMFPSTWYV")}
    aatype = torch.tensor([[letters[letter] for letter in sequence]])
    model(aatype[:, :8], num_recycles=0)
    begin = time.perf_counter()
    output = model(aatype, num_recycles=0)
    seconds = time.perf_counter() - begin
    if not torch.isfinite(output.positions).all():
        sys.exit("the positions are not finite")
    print(json.dumps({"seconds": seconds, "transformers": transformers.__version__}))


if __name__ == "__main__":
    main()
