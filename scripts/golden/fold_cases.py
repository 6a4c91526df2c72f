"""What the golden data of ESMFold covers: model configurations, how each is stored, and the sequences."""

import random
from dataclasses import dataclass, field

STANDARD = "ACDEFGHIKLMNPQRSTVWY"


@dataclass(frozen=True)
class FoldCase:
    """Sequences are random, see `sequence`: chains by their lengths, with so many X."""

    chains: tuple[int, ...]
    recycles: int
    unknown: int = 0
    linker: int = 25
    gap: int = 512
    traced: bool = False


@dataclass(frozen=True)
class FoldModel:
    name: str
    # How the checkpoint is written, see Case.layout in cases.py: v5, v5_original, v4 (there: hub); torch_zip, as the
    # published pytorch_model.bin: names of 4.x, language model in float16, the rest in float32, an int64 buffer;
    # seeded: no file of weights but a list of what to make them from, see seeded.py; names as v5_original.
    layout: str
    language_model: dict
    fold: dict
    trunk: dict
    structure_module: dict
    cases: tuple[FoldCase, ...]
    gains: dict = field(default_factory=dict)  # of weights whose name begins so, beside those of make_fold_golden.py


MODELS = (
    FoldModel(
        "ordinary",
        layout="v5",
        language_model={"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32},
        fold={"lddt_head_hid_dim": 5},
        trunk={
            "num_blocks": 2,
            "sequence_state_dim": 32,
            "pairwise_state_dim": 16,
            "sequence_head_width": 8,
            "pairwise_head_width": 8,
            "position_bins": 32,
        },
        structure_module={
            "sequence_dim": 24,
            "pairwise_dim": 16,
            "ipa_dim": 8,
            "resnet_dim": 16,
            "num_heads_ipa": 4,
            "num_qk_points": 4,
            "num_v_points": 8,
            "num_blocks": 3,
        },
        cases=(
            FoldCase((1,), 0),
            FoldCase((2,), 3),
            FoldCase((5,), 1, unknown=1, traced=True),
            FoldCase((17,), 0),
            FoldCase((17,), 3, unknown=2),
            FoldCase((41,), 3),
            FoldCase((5, 4), 1, linker=3),
            FoldCase((6, 7), 3),
            FoldCase((3, 1, 5), 1, unknown=1),
        ),
    ),
    FoldModel(
        "odd",
        layout="v4",
        language_model={
            "hidden_size": 24,
            "num_hidden_layers": 2,
            "num_attention_heads": 3,
            "intermediate_size": 40,
            "token_dropout": False,
            "emb_layer_norm_before": True,
        },
        fold={"lddt_head_hid_dim": 3, "embed_aa": False},
        trunk={
            "num_blocks": 1,
            "sequence_state_dim": 32,
            "pairwise_state_dim": 24,
            "sequence_head_width": 16,
            "pairwise_head_width": 24,
            "position_bins": 4,
        },
        structure_module={
            "sequence_dim": 20,
            "pairwise_dim": 12,
            "ipa_dim": 6,
            "resnet_dim": 10,
            "num_heads_ipa": 3,
            "num_qk_points": 2,
            "num_v_points": 5,
            "num_blocks": 2,
            "num_transition_layers": 2,
            "num_resnet_blocks": 3,
            "trans_scale_factor": 7,
            "epsilon": 1e-6,
        },
        cases=(
            FoldCase((1,), 3),
            FoldCase((2,), 0),
            FoldCase((2, 1), 1, linker=2, traced=True),
            FoldCase((16,), 3, unknown=1),
            FoldCase((40,), 3),
            FoldCase((4, 6, 3), 3, unknown=1, linker=3, gap=2),
            FoldCase((7, 5), 0),
        ),
        gains={"trunk.structure_module.bb_update": 0.7},
    ),
    FoldModel(
        "wide_pair",
        layout="v5_original",
        language_model={"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 64},
        fold={"lddt_head_hid_dim": 4},
        trunk={
            "num_blocks": 1,
            "sequence_state_dim": 32,
            "pairwise_state_dim": 64,
            "sequence_head_width": 32,
            "pairwise_head_width": 32,
            "position_bins": 16,
        },
        structure_module={
            "sequence_dim": 24,
            "pairwise_dim": 16,
            "ipa_dim": 16,
            "resnet_dim": 16,
            "num_heads_ipa": 2,
            "num_qk_points": 4,
            "num_v_points": 8,
            "num_blocks": 4,
            "num_resnet_blocks": 1,
        },
        cases=(
            FoldCase((1,), 0),
            FoldCase((5,), 3),
            FoldCase((18,), 0, unknown=1),
            FoldCase((40,), 3),
            FoldCase((8, 6), 3, linker=5),
        ),
        gains={"trunk.structure_module.bb_update": 0.15},
    ),
    FoldModel(
        "tiny_zip",
        layout="torch_zip",
        language_model={"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 1, "intermediate_size": 16},
        fold={"lddt_head_hid_dim": 2},
        trunk={
            "num_blocks": 1,
            "sequence_state_dim": 16,
            "pairwise_state_dim": 8,
            "sequence_head_width": 16,
            "pairwise_head_width": 2,
            "position_bins": 8,
        },
        structure_module={
            "sequence_dim": 16,
            "pairwise_dim": 8,
            "ipa_dim": 8,
            "resnet_dim": 8,
            "num_heads_ipa": 1,
            "num_qk_points": 3,
            "num_v_points": 1,
            "num_blocks": 8,
        },
        cases=(
            FoldCase((1,), 1, unknown=1),
            FoldCase((2,), 1),
            FoldCase((5,), 0),
            FoldCase((17,), 3),
            FoldCase((65,), 1, unknown=2),
            FoldCase((5, 5), 0),
        ),
        gains={"trunk.structure_module.bb_update": 0.1},
    ),
    # The published widths of everything that works on pairs, for which GPUs have kernels; its weights are made from
    # seeds by whoever needs them, since they would take 9 MB.
    FoldModel(
        "published_pair",
        layout="seeded",
        language_model={"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128},
        fold={"lddt_head_hid_dim": 16},
        trunk={
            "num_blocks": 2,
            "sequence_state_dim": 256,
            "pairwise_state_dim": 128,
            "sequence_head_width": 8,
            "pairwise_head_width": 32,
            "position_bins": 32,
        },
        structure_module={
            "sequence_dim": 48,
            "pairwise_dim": 128,
            "ipa_dim": 16,
            "resnet_dim": 32,
            "num_heads_ipa": 12,
            "num_qk_points": 4,
            "num_v_points": 8,
            "num_blocks": 3,
        },
        cases=(
            FoldCase((3,), 0, traced=True),
            FoldCase((7,), 1),
            FoldCase((37,), 0),
            FoldCase((23,), 2, unknown=1),
            FoldCase((16, 9), 0, linker=4),
        ),
        gains={"trunk.structure_module.bb_update": 0.2},
    ),
)


def sequence(model, case, attempt):
    """Random residues. From 20 residues on all 20 kinds occur; then `unknown` of them are replaced by X."""
    source = random.Random(f"{model.name} {case} {attempt}")
    length = sum(case.chains)
    residues = [source.choice(STANDARD) for _ in range(length)]
    if length >= len(STANDARD) + case.unknown:
        residues[: len(STANDARD)] = STANDARD
        source.shuffle(residues)
    letters = list(residues)
    repeated = [place for place in range(length) if letters.count(letters[place]) > 1 or length < len(STANDARD)]
    for place in source.sample(repeated, case.unknown):
        letters[place] = "X"
    chains, start = [], 0
    for chain in case.chains:
        chains.append("".join(letters[start : start + chain]))
        start += chain
    return ":".join(chains)


def fold_input(text, case):
    """Residues and indices as the original ESM code joins chains: glycines between them, which count on from the chain
    before, and an index that jumps with each further chain. Returns (letters, index, places of residues)."""
    letters, index, places = "", [], []
    for number, chain in enumerate(chains := text.split(":")):
        part = chain + "G" * (case.linker if number + 1 < len(chains) else 0)
        start = len(letters)
        places += range(start, start + len(chain))
        index += [start + offset + number * case.gap for offset in range(len(part))]
        letters += part
    return letters, index, places
