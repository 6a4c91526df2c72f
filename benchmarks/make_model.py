#!/usr/bin/env python3
"""Writes an ESM-2 of a published shape with random weights: make_model.py 150M FOLDER. Speed does not depend on the
values. Beside it esm_cpp.safetensors, the same weights as esm-cpp reads them: rotary frequencies in each layer."""

import shutil
import sys
from pathlib import Path

import torch
from shapes import SHAPES
from safetensors.torch import load_file, save_file
from transformers import EsmConfig, EsmForMaskedLM

VOCAB = Path(__file__).resolve().parents[1] / "configs/demo/models/esm2-demo/vocab.txt"


def make_model(shape, folder):
    torch.manual_seed(0)
    config = EsmConfig(
        vocab_size=len(VOCAB.read_text().split()),
        pad_token_id=1,
        mask_token_id=32,
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.intermediate,
        max_position_embeddings=1026,
        position_embedding_type="rotary",
        layer_norm_eps=1e-5,
        token_dropout=True,
        emb_layer_norm_before=False,
        pleat_untrained=True,
    )
    model = EsmForMaskedLM(config)
    model.save_pretrained(folder, max_shard_size="100GB", save_original_format=False)
    tensors = load_file(folder / "model.safetensors")
    frequencies = tensors["esm.rotary_embeddings.inv_freq"]
    for layer in range(shape.layers):
        name = f"esm.encoder.layer.{layer}.attention.self.rotary_embeddings.inv_freq"
        tensors[name] = frequencies.clone()
    save_file(tensors, folder / "esm_cpp.safetensors")
    shutil.copy(VOCAB, folder / "vocab.txt")


if __name__ == "__main__":
    make_model(SHAPES[sys.argv[1]], Path(sys.argv[2]))
