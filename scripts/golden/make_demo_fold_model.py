#!/usr/bin/env python3
"""Writes the demo's folding model: a small ESMFold with fixed pseudo-random weights, so that folding can be shown
without a download.

    make_demo_fold_model.py [FOLDER]        default: configs/demo/models/esmfold-demo

The weights are untrained: the structures are no predictions of anything. All weights are random but those that say how
far apart two residues are in the chain, which are waves, so that neighbours in the chain come to lie near each other.
Only the standard library is used, and every number but those waves comes from integers.
"""

import json
import math
import sys
from pathlib import Path

from make_demo_model import CONFIG, VOCAB, Generator, random_tensors, safetensors_bytes

HIDDEN = 32
LAYERS = 3
INTERMEDIATE = 64
SEED = 3

TRUNK = {
    "chunk_size": 128,
    "cpu_grad_checkpoint": False,
    "dropout": 0,
    "layer_drop": 0,
    "max_recycles": 4,
    "num_blocks": 2,
    "pairwise_head_width": 8,
    "pairwise_state_dim": 16,
    "position_bins": 32,
    "sequence_head_width": 8,
    "sequence_state_dim": 32,
    "structure_module": {
        "dropout_rate": 0.1,
        "epsilon": 1e-08,
        "inf": 100000.0,
        "ipa_dim": 8,
        "num_angles": 7,
        "num_blocks": 4,
        "num_heads_ipa": 4,
        "num_qk_points": 4,
        "num_resnet_blocks": 2,
        "num_transition_layers": 1,
        "num_v_points": 4,
        "pairwise_dim": 16,
        "resnet_dim": 16,
        "sequence_dim": 32,
        "trans_scale_factor": 10,
    },
}
FOLD = {
    "bypass_lm": False,
    "embed_aa": True,
    "esm_ablate_pairwise": False,
    "esm_ablate_sequence": False,
    "esm_input_dropout": 0,
    "esm_type": None,
    "fp16_esm": False,
    "lddt_head_hid_dim": 8,
    "trunk": TRUNK,
    "use_esm_attn_map": False,
}
FOLD_CONFIG = CONFIG | {
    "architectures": ["EsmForProteinFolding"],
    "esmfold_config": FOLD,
    "hidden_size": HIDDEN,
    "intermediate_size": INTERMEDIATE,
    "is_folding_model": True,
    "num_attention_heads": 2,
    "num_hidden_layers": LAYERS,
    "vocab_list": VOCAB,
}

AF2_ORDER = "ARNDCQEGHILKMFPSTWYVX"
POSITION_TABLE = "trunk.pairwise_positional_embedding.embedding.weight"


# Plans: (name, shape, mean, standard deviation) of every tensor, in the order in which their numbers are drawn.


def linear(name, rows, columns, gain=1.0, bias=True, bias_mean=0.0):
    yield f"{name}.weight", (rows, columns), 0.0, gain * columns**-0.5
    if bias:
        yield f"{name}.bias", (rows,), bias_mean, 0.1


def layer_norm(name, width):
    yield f"{name}.weight", (width,), 1.0, 0.1
    yield f"{name}.bias", (width,), 0.0, 0.1


def language_model_plan():
    yield "esm.embeddings.word_embeddings.weight", (len(VOCAB), HIDDEN), 0.0, 1.0
    for index in range(LAYERS):
        layer = f"esm.encoder.layer.{index}"
        yield from layer_norm(f"{layer}.attention.LayerNorm", HIDDEN)
        for part in ("query", "key", "value"):
            yield from linear(f"{layer}.attention.self.{part}", HIDDEN, HIDDEN)
        yield from linear(f"{layer}.attention.output.dense", HIDDEN, HIDDEN)
        yield from layer_norm(f"{layer}.LayerNorm", HIDDEN)
        yield from linear(f"{layer}.intermediate.dense", INTERMEDIATE, HIDDEN)
        yield from linear(f"{layer}.output.dense", HIDDEN, INTERMEDIATE)
    yield from layer_norm("esm.encoder.emb_layer_norm_after", HIDDEN)
    yield from linear("esm.contact_head.regression", 1, LAYERS * FOLD_CONFIG["num_attention_heads"])


def block_plan(block):
    c_s, c_z = TRUNK["sequence_state_dim"], TRUNK["pairwise_state_dim"]
    yield from layer_norm(f"{block}.layernorm_1", c_s)
    yield from layer_norm(f"{block}.sequence_to_pair.layernorm", c_s)
    yield from linear(f"{block}.sequence_to_pair.proj", c_z, c_s)
    yield from linear(f"{block}.sequence_to_pair.o_proj", c_z, c_z, 0.03)
    yield from layer_norm(f"{block}.pair_to_sequence.layernorm", c_z)
    yield from linear(f"{block}.pair_to_sequence.linear", c_s // TRUNK["sequence_head_width"], c_z, bias=False)
    yield from linear(f"{block}.seq_attention.proj", 3 * c_s, c_s, bias=False)
    yield from linear(f"{block}.seq_attention.o_proj", c_s, c_s)
    yield from linear(f"{block}.seq_attention.g_proj", c_s, c_s)
    for part in ("tri_mul_out", "tri_mul_in"):
        for layer in ("a_p", "a_g", "b_p", "b_g", "g"):
            yield from linear(f"{block}.{part}.linear_{layer}", c_z, c_z)
        yield from linear(f"{block}.{part}.linear_z", c_z, c_z, 0.03)
        yield from layer_norm(f"{block}.{part}.layer_norm_in", c_z)
        yield from layer_norm(f"{block}.{part}.layer_norm_out", c_z)
    for part in ("tri_att_start", "tri_att_end"):
        yield from layer_norm(f"{block}.{part}.layer_norm", c_z)
        yield from linear(f"{block}.{part}.linear", c_z // TRUNK["pairwise_head_width"], c_z, bias=False)
        for layer in ("q", "k", "v"):
            yield from linear(f"{block}.{part}.mha.linear_{layer}", c_z, c_z, bias=False)
        yield from linear(f"{block}.{part}.mha.linear_g", c_z, c_z)
        yield from linear(f"{block}.{part}.mha.linear_o", c_z, c_z, 0.03)
    for part, width, gain in (("mlp_seq", c_s, 1.0), ("mlp_pair", c_z, 0.03)):
        yield from layer_norm(f"{block}.{part}.mlp.0", width)
        yield from linear(f"{block}.{part}.mlp.1", 4 * width, width)
        yield from linear(f"{block}.{part}.mlp.3", width, 4 * width, gain)


def structure_module_plan():
    size = TRUNK["structure_module"]
    name = "trunk.structure_module"
    c_s, c_z, heads = size["sequence_dim"], size["pairwise_dim"], size["num_heads_ipa"]
    scalars, points = size["ipa_dim"], size["num_qk_points"]
    values = size["num_v_points"]
    hidden = size["resnet_dim"]
    yield from layer_norm(f"{name}.layer_norm_s", c_s)
    yield from layer_norm(f"{name}.layer_norm_z", c_z)
    yield from linear(f"{name}.linear_in", c_s, c_s, 0.03)
    yield f"{name}.ipa.head_weights", (heads,), 0.0, 0.1
    yield from linear(f"{name}.ipa.linear_q", heads * scalars, c_s, 0.06)
    yield from linear(f"{name}.ipa.linear_kv", 2 * heads * scalars, c_s, 0.06)
    yield from linear(f"{name}.ipa.linear_q_points", 3 * heads * points, c_s, 0.06)
    yield from linear(f"{name}.ipa.linear_kv_points", 3 * heads * (points + values), c_s, 0.06)
    yield from linear(f"{name}.ipa.linear_b", heads, c_z, 0.5)
    yield from linear(f"{name}.ipa.linear_out", c_s, heads * (c_z + scalars + 4 * values), 3.0)
    yield from layer_norm(f"{name}.layer_norm_ipa", c_s)
    for number in (1, 2, 3):
        yield from linear(f"{name}.transition.layers.0.linear_{number}", c_s, c_s, 0.6)
    yield from layer_norm(f"{name}.transition.layer_norm", c_s)
    yield from linear(f"{name}.bb_update.linear", 6, c_s, 0.9)
    for part in ("linear_in", "linear_initial"):
        yield from linear(f"{name}.angle_resnet.{part}", hidden, c_s)
    for index in range(size["num_resnet_blocks"]):
        yield from linear(f"{name}.angle_resnet.layers.{index}.linear_1", hidden, hidden)
        yield from linear(f"{name}.angle_resnet.layers.{index}.linear_2", hidden, hidden)
    yield from linear(f"{name}.angle_resnet.linear_out", 14, hidden)


def fold_plan():
    c_s, c_z, lddt = TRUNK["sequence_state_dim"], TRUNK["pairwise_state_dim"], FOLD["lddt_head_hid_dim"]
    size = TRUNK["structure_module"]
    yield "esm_s_combine", (LAYERS + 1,), 0.0, 0.5
    yield from layer_norm("esm_s_mlp.0", HIDDEN)
    yield from linear("esm_s_mlp.1", c_s, HIDDEN)
    yield from linear("esm_s_mlp.3", c_s, c_s)
    yield "embedding.weight", (23, c_s), 0.0, 0.5
    for index in range(TRUNK["num_blocks"]):
        yield from block_plan(f"trunk.blocks.{index}")
    yield from layer_norm("trunk.recycle_s_norm", c_s)
    yield from layer_norm("trunk.recycle_z_norm", c_z)
    yield "trunk.recycle_disto.weight", (15, c_z), 0.0, 0.2
    yield from structure_module_plan()
    yield from linear("trunk.trunk2sm_s", size["sequence_dim"], c_s)
    yield from linear("trunk.trunk2sm_z", size["pairwise_dim"], c_z)
    yield from linear("distogram_head", 64, c_z, 0.5)
    yield from linear("lm_head", 23, c_s, 0.5)
    yield from layer_norm("lddt_head.0", size["sequence_dim"])
    yield from linear("lddt_head.1", lddt, size["sequence_dim"], 1.5)
    yield from linear("lddt_head.2", lddt, lddt, 1.5)
    yield from linear("lddt_head.3", 37 * 50, lddt, 1.5)
    yield from linear("ptm_head", 64, c_z)


def position_table():
    """[2 * bins + 2, C]: of the distance along the chain, sines and cosines, longest wave first."""
    bins, c_z = TRUNK["position_bins"], TRUNK["pairwise_state_dim"]
    rows = []
    for distance in range(-bins - 1, bins + 1):  # the first row is for padding
        for channel in range(c_z):
            angle = distance * math.pi / (2 * bins) * (1 + channel // 2)
            rows.append(4.0 * (math.sin(angle) if channel % 2 == 0 else math.cos(angle)))
    return POSITION_TABLE, "F16", (2 * bins + 2, c_z), rows


def tensors():
    generator = Generator(SEED)
    yield "af2_to_esm", "I64", (22,), [VOCAB.index("<pad>"), *(VOCAB.index(letter) for letter in AF2_ORDER)]
    yield from random_tensors(generator, language_model_plan())
    yield from random_tensors(generator, fold_plan())
    yield position_table()


def main():
    default = Path(__file__).resolve().parents[2] / "configs/demo/models/esmfold-demo"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(FOLD_CONFIG, indent=2, sort_keys=True) + "\n")
    (folder / "model.safetensors").write_bytes(safetensors_bytes(tensors()))


if __name__ == "__main__":
    main()
