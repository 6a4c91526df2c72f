#!/usr/bin/env python3
"""Writes the golden attention maps: what transformers gives with output_attentions for two of the models of
tests/data/esm2. scripts/golden/run calls it behind make_golden.py.

    make_attention_golden.py MODELS FOLDER

For each of its cases, FOLDER/<case>/model.safetensors gets for sequence number S of MODELS/<case>/golden.json
    S.residues       int64 [m]         the residues whose attention to each other is kept
    S.attention.NN   float32 [H, m, m] of layer NN, from 01
computed in float32 with eager attention, one sequence at a time.
"""

import json
import sys
from pathlib import Path

import torch
import transformers
from cases import CASES, kept_residues
from make_demo_model import VOCAB
from make_golden import load_model
from safetensors.torch import save_file

NAMES = ("head16", "head32_hub")


def make_case(case, model_folder, folder):
    folder.mkdir(parents=True, exist_ok=True)
    model = load_model(model_folder, torch.float32)
    tensors = {}
    for number, entry in enumerate(json.loads((model_folder / "golden.json").read_text())["sequences"]):
        letters = entry["residues"]
        tokens = torch.tensor([[VOCAB.index(token) for token in ["<cls>", *letters, "<eos>"]]])
        maps = model(tokens, attention_mask=torch.ones_like(tokens), output_attentions=True).attentions
        residues = torch.tensor(kept_residues(case, len(letters)))
        tensors[f"{number}.residues"] = residues
        for layer, of_layer in enumerate(maps, 1):
            kept = of_layer[0][:, residues + 1][:, :, residues + 1]  # token 0 is the begin token
            tensors[f"{number}.attention.{layer:02d}"] = kept.contiguous()
    path = folder / "model.safetensors"
    save_file(tensors, path)
    path.chmod(0o644)  # the safetensors library makes it private


def main():
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    models, folder = map(Path, sys.argv[1:])
    for case in CASES:
        if case.name in NAMES:
            make_case(case, models / case.name, folder / case.name)


if __name__ == "__main__":
    main()
