"""Small ESM-2 models with random weights, sound ones and others."""

import json

import numpy as np
import safetensors

VOCABULARY = 33


def config(width, layers, heads):
    return {"model_type": "esm", "position_embedding_type": "rotary", "vocab_size": VOCABULARY, "hidden_size": width,
            "num_hidden_layers": layers, "num_attention_heads": heads, "intermediate_size": 2 * width,
            "token_dropout": True, "mask_token_id": 32, "pad_token_id": 1}


def tensors(width, layers, heads, seed=0):
    random = np.random.default_rng(seed)
    found = {}

    def linear(name, inputs, outputs):
        found[name + ".weight"] = random.standard_normal((outputs, inputs), np.float32) / np.sqrt(inputs, dtype=np.float32)
        found[name + ".bias"] = np.zeros(outputs, np.float32)

    def norm(name):
        found[name + ".weight"] = np.ones(width, np.float32)
        found[name + ".bias"] = np.zeros(width, np.float32)

    found["esm.embeddings.word_embeddings.weight"] = random.standard_normal((VOCABULARY, width), np.float32)
    for index in range(layers):
        layer = f"esm.encoder.layer.{index}."
        norm(layer + "attention.LayerNorm")
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            linear(layer + "attention." + part, width, width)
        norm(layer + "LayerNorm")
        linear(layer + "intermediate.dense", width, 2 * width)
        linear(layer + "output.dense", 2 * width, width)
    norm("esm.encoder.emb_layer_norm_after")
    linear("esm.contact_head.regression", layers * heads, 1)
    linear("lm_head.dense", width, width)
    norm("lm_head.layer_norm")
    found["lm_head.bias"] = np.zeros(VOCABULARY, np.float32)
    return found


def make(folder, width=16, layers=2, heads=2):
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config(width, layers, heads)))
    safetensors.write(folder / "model.safetensors", tensors(width, layers, heads))
    return folder
