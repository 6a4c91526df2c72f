#!/usr/bin/env python3
"""Writes lists of every tensor of the published models as the installed version of transformers names them, without
weights: the models are built on the meta device, which allocates nothing. scripts/golden/run calls it with transformers
4.49 and 5.23.

    make_lists.py [FOLDER]        default: tests/data/checkpoints, whose README.md says what is in a list
"""

import gzip
import sys
from pathlib import Path

import torch
import transformers
from make_demo_model import VOCAB
from transformers import EsmConfig, EsmForMaskedLM, EsmForProteinFolding

ESM2_MODELS = {  # layers, width, heads
    "esm2_t6_8M_UR50D": (6, 320, 20),
    "esm2_t12_35M_UR50D": (12, 480, 20),
    "esm2_t30_150M_UR50D": (30, 640, 20),
    "esm2_t33_650M_UR50D": (33, 1280, 20),
    "esm2_t36_3B_UR50D": (36, 2560, 40),
    "esm2_t48_15B_UR50D": (48, 5120, 40),
}
ESMFOLD_LANGUAGE_MODEL = ESM2_MODELS["esm2_t36_3B_UR50D"]
DTYPES = {torch.float32: "F32", torch.float16: "F16", torch.int64: "I64"}  # as safetensors writes them


def config_of(layers, width, heads, model_class, **settings):
    return EsmConfig(
        architectures=[model_class.__name__],
        vocab_size=len(VOCAB),
        pad_token_id=VOCAB.index("<pad>"),
        mask_token_id=VOCAB.index("<mask>"),
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * width,
        max_position_embeddings=1026,
        position_embedding_type="rotary",
        layer_norm_eps=1e-5,
        token_dropout=True,
        emb_layer_norm_before=False,
        **settings,
    )


def write_list(folder, name, config, model_class):
    with torch.device("meta"):
        model = model_class(config)
    tied = model._tied_weights_keys or {}
    lines = [
        f"{key}\t{DTYPES[tensor.dtype]}\t{','.join(map(str, tensor.shape))}\n"
        for key, tensor in sorted(model.state_dict().items())
        # Version 5 names them by a dictionary and leaves them out of every file; version 4 keeps them in torch's files.
        if not (isinstance(tied, dict) and key in tied)
    ]
    (folder / f"{name}.tsv.gz").write_bytes(gzip.compress("".join(lines).encode(), 9, mtime=0))
    (folder / f"{name}.json").write_text(config.to_json_string().rstrip() + "\n")
    print(f"{folder.name}/{name}: {len(lines)} tensors", file=sys.stderr)


def main():
    transformers.utils.logging.set_verbosity_error()
    default = Path(__file__).resolve().parents[2] / "tests/data/checkpoints"
    version = ".".join(transformers.__version__.split(".")[:2])
    folder = (Path(sys.argv[1]) if len(sys.argv) > 1 else default) / f"transformers-{version}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, sizes in ESM2_MODELS.items():
        write_list(folder, name, config_of(*sizes, EsmForMaskedLM), EsmForMaskedLM)
    # The published file stores the language model in float16, which is what fp16_esm makes of it; all other settings
    # are the defaults of both versions.
    fold = {"fp16_esm": True, "lddt_head_hid_dim": 128, "trunk": {}}
    config = config_of(
        *ESMFOLD_LANGUAGE_MODEL, EsmForProteinFolding, is_folding_model=True, vocab_list=VOCAB, esmfold_config=fold
    )
    write_list(folder, "esmfold_v1", config, EsmForProteinFolding)


if __name__ == "__main__":
    main()
