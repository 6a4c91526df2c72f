#!/usr/bin/env python3
"""Writes an ESMFold with the published trunk, the 8M language model and random weights: make_fold_model.py FOLDER
[BLOCKS]. Speed does not depend on the values; layers that start at zero are given numbers all the same, so that no zeros
are multiplied."""

import sys
from pathlib import Path

import torch
from shapes import SHAPES
from transformers import EsmConfig, EsmForProteinFolding

VOCAB = Path(__file__).resolve().parents[1] / "configs/demo/models/esm2-demo/vocab.txt"


def make_model(folder, blocks):
    torch.manual_seed(0)
    shape = SHAPES["8M"]
    vocabulary = VOCAB.read_text().split()
    config = EsmConfig(
        vocab_size=len(vocabulary),
        vocab_list=vocabulary,
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
        is_folding_model=True,
        esmfold_config={"fp16_esm": False, "trunk": {"num_blocks": blocks}},
        pleat_untrained=True,
    )
    model = EsmForProteinFolding(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1 and not parameter.any():
                parameter.normal_(std=0.02 / parameter.shape[-1] ** 0.5)
    model.save_pretrained(folder, max_shard_size="100GB")


if __name__ == "__main__":
    make_model(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 48)
