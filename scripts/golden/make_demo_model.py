#!/usr/bin/env python3
"""Writes the demo's model: a small ESM-2 with fixed pseudo-random weights, so that the demo needs no download.

    make_demo_model.py [FOLDER]        default: configs/demo/models/esm2-demo

The weights are untrained: outputs have the right shapes and mean nothing. Only the standard library is used, and the
generator uses integers only, so every machine writes the same bytes.
"""

import json
import math
import struct
import sys
from pathlib import Path

HIDDEN = 96
HEADS = 6  # of 16, as in the published 8M model
LAYERS = 6
INTERMEDIATE = 4 * HIDDEN
SEED = 2024

VOCAB = [
    "<cls>", "<pad>", "<eos>", "<unk>", "L", "A", "G", "V", "S", "E", "R", "T", "I", "D", "P", "K", "Q", "N", "F",
    "Y", "M", "H", "W", "C", "X", "B", "U", "Z", "O", ".", "-", "<null_1>", "<mask>",
]  # fmt: skip

CONFIG = {
    "architectures": ["EsmForMaskedLM"],
    "emb_layer_norm_before": False,
    "eos_token_id": 2,
    "hidden_act": "gelu",
    "hidden_size": HIDDEN,
    "intermediate_size": INTERMEDIATE,
    "is_folding_model": False,
    "layer_norm_eps": 1e-05,
    "mask_token_id": 32,
    "max_position_embeddings": 1026,
    "model_type": "esm",
    "num_attention_heads": HEADS,
    "num_hidden_layers": LAYERS,
    "pad_token_id": 1,
    "pleat_untrained": True,
    "position_embedding_type": "rotary",
    "tie_word_embeddings": True,
    "token_dropout": True,
    "torch_dtype": "float16",
    "vocab_size": len(VOCAB),
}

MASK64 = (1 << 64) - 1


class Generator:
    """SplitMix64 (Steele, Lea and Flood, 2014)."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK64
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK64
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK64
        return z ^ (z >> 31)

    def bell(self):
        """Mean 0, standard deviation 1: the sum of four uniform 16-bit numbers, which is nearly a normal one."""
        z = self.next()
        total = (z & 0xFFFF) + (z >> 16 & 0xFFFF) + (z >> 32 & 0xFFFF) + (z >> 48)
        return (total - 2 * 65535) / 37837.0  # 65536 * sqrt(4 / 12)


def tensor_plan():
    """(name, shape, mean, standard deviation) of every tensor, in the order in which their numbers are drawn."""

    def linear(name, rows, columns, gain=1.0):
        yield f"{name}.weight", (rows, columns), 0.0, gain * columns**-0.5
        yield f"{name}.bias", (rows,), 0.0, 0.1

    def layer_norm(name):
        yield f"{name}.weight", (HIDDEN,), 1.0, 0.1
        yield f"{name}.bias", (HIDDEN,), 0.0, 0.1

    yield "esm.embeddings.word_embeddings.weight", (len(VOCAB), HIDDEN), 0.0, 1.0
    for index in range(LAYERS):
        layer = f"esm.encoder.layer.{index}"
        yield from layer_norm(f"{layer}.attention.LayerNorm")
        yield from linear(f"{layer}.attention.self.query", HIDDEN, HIDDEN, 1.5)
        yield from linear(f"{layer}.attention.self.key", HIDDEN, HIDDEN, 1.5)
        yield from linear(f"{layer}.attention.self.value", HIDDEN, HIDDEN)
        yield from linear(f"{layer}.attention.output.dense", HIDDEN, HIDDEN)
        yield from layer_norm(f"{layer}.LayerNorm")
        yield from linear(f"{layer}.intermediate.dense", INTERMEDIATE, HIDDEN)
        yield from linear(f"{layer}.output.dense", HIDDEN, INTERMEDIATE)
    yield from layer_norm("esm.encoder.emb_layer_norm_after")
    yield "esm.contact_head.regression.weight", (1, LAYERS * HEADS), 0.0, 8.0
    yield "esm.contact_head.regression.bias", (1,), -2.0, 0.0
    # lm_head.decoder.weight is the word embeddings again, so files leave it out.
    yield from linear("lm_head.dense", HIDDEN, HIDDEN)
    yield from layer_norm("lm_head.layer_norm")
    yield "lm_head.bias", (len(VOCAB),), 0.0, 0.1


def random_tensors(generator, plan):
    """(name, dtype, shape, values) of every tensor of a plan."""
    for name, shape, mean, deviation in plan:
        yield name, "F16", shape, [mean + deviation * generator.bell() for _ in range(math.prod(shape))]


def safetensors_bytes(tensors):
    header = {"__metadata__": {"format": "pt", "note": "untrained pseudo-random weights"}}
    data = bytearray()
    for name, dtype, shape, values in tensors:
        begin = len(data)
        data += struct.pack(f"<{len(values)}{'e' if dtype == 'F16' else 'q'}", *values)
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, len(data)]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def main():
    default = Path(__file__).resolve().parents[2] / "configs/demo/models/esm2-demo"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    (folder / "vocab.txt").write_text("\n".join(VOCAB) + "\n")
    (folder / "model.safetensors").write_bytes(safetensors_bytes(random_tensors(Generator(SEED), tensor_plan())))


if __name__ == "__main__":
    main()
