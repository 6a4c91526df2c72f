#!/usr/bin/env python3
"""Writes the golden data of the ESMFold tests with Hugging Face transformers: small random models and what the
reference computes with them. scripts/golden/run calls it in an environment with the right versions.

    make_fold_golden.py [FOLDER [MODEL...]]     default: all into tests/data/esmfold, whose README.md says what each file holds
"""

import copy
import json
import math
import shutil
import sys
import tempfile
from collections import OrderedDict
from pathlib import Path

import torch
import transformers
from fold_cases import MODELS, fold_input, sequence
from fold_reference import atom37_to_atom14, exact_rotations, run, trace_into
from make_demo_model import VOCAB
from safetensors.torch import load_file, save_file
from seeded import power_of_two, seeded_array, write_list
from transformers import EsmConfig, EsmForProteinFolding, PreTrainedConfig
from transformers.models.esm.openfold_utils import residue_constants

# Standard deviations of weights, times 1 / sqrt(columns), by the beginning of the name. Chosen so that structures
# reach over most of the distogram's bins, confidences vary, and attention is far from uniform.
GAINS = {
    "trunk.structure_module.bb_update": 0.35,
    "trunk.structure_module.ipa.linear_q_points": 0.7,
    "trunk.structure_module.ipa.linear_kv_points": 0.7,
    "ptm_head": 0.7,
    "distogram_head": 0.5,
    "lddt_head": 1.5,
}
# How far recycled distances stay from the bounds of their bins, in ångström; and the sequences tried for it.
BIN_MARGIN = 1e-3
ATTEMPTS = 1000


def fold_config(spec):
    fold = spec.fold | {"fp16_esm": False, "trunk": spec.trunk | {"structure_module": dict(spec.structure_module)}}
    settings = {"token_dropout": True, "emb_layer_norm_before": False} | spec.language_model
    return EsmConfig(
        vocab_size=len(VOCAB),
        vocab_list=VOCAB,
        pad_token_id=VOCAB.index("<pad>"),
        mask_token_id=VOCAB.index("<mask>"),
        max_position_embeddings=34,  # unused with rotary positions, but old files store a table of this length
        position_embedding_type="rotary",
        layer_norm_eps=1e-5,
        is_folding_model=True,
        esmfold_config=fold,
        **settings,
    )


def random_value(spec, name, shape, generator):
    noise = torch.randn(shape, generator=generator)
    if name == "esm_s_combine":
        return noise
    if name.endswith("head_weights"):
        return 0.54 + 0.4 * noise  # softplus of 0.54 is 1
    if name == "ptm_head.bias":  # errors lean to the small side, or the pTM of short chains is 0
        return 0.1 * noise - 0.1 * torch.arange(shape[0])
    if len(shape) == 1:
        return 1.0 + 0.1 * noise if name.endswith("weight") else 0.1 * noise
    if "embedding" in name or name.endswith("recycle_disto.weight"):
        return noise
    gain = next((gain for start, gain in (GAINS | spec.gains).items() if name.startswith(start)), 1.0)
    if "query" in name or "key" in name:
        gain = 1.5
    return gain * noise / math.sqrt(shape[1])


def random_model(spec):
    """Weights that make every part matter, all of them values of float16."""
    model = EsmForProteinFolding(fold_config(spec))
    generator = torch.Generator().manual_seed(sum(spec.name.encode()))
    for name, parameter in sorted(model.named_parameters()):
        parameter.data.copy_(random_value(spec, name, parameter.shape, generator).half())
    return model


def deviation_of(spec, name, shape):
    """The mean and the standard deviation of a weight of a model whose weights are made from seeds."""
    if name == "esm_s_combine" or "embedding" in name or name.endswith("recycle_disto.weight"):
        return 0.0, 1.0
    if name.endswith("head_weights"):
        return 0.5, 0.4
    if len(shape) == 1:
        return (1.0 if name.endswith("weight") else 0.0), 0.1
    gain = next((gain for start, gain in (GAINS | spec.gains).items() if name.startswith(start)), 1.0)
    if "query" in name or "key" in name:
        gain = 1.5
    return 0.0, gain / math.sqrt(shape[1])


def seeded_entries(spec, model):
    """What each parameter is made of, see seeded.py."""
    entries = {}
    for number, (name, parameter) in enumerate(sorted(model.named_parameters())):
        shift, deviation = deviation_of(spec, name, parameter.shape)
        scale = power_of_two(deviation)
        entries[name] = {"shape": list(parameter.shape), "seed": 1000 + number, "shift": shift, "scale": scale}
    return entries


def write_seeded_model(spec, folder, weights):
    """config.json and the list of seeds to `folder`, and the whole model to `weights`."""
    model = EsmForProteinFolding(fold_config(spec))
    entries = seeded_entries(spec, model)
    for name, parameter in model.named_parameters():
        parameter.data.copy_(torch.from_numpy(seeded_array(entries[name])))
    model.save_pretrained(weights)
    saved = load_file(weights / "model.safetensors")
    for name in entries.keys() & saved.keys():
        assert torch.equal(saved[name], torch.from_numpy(seeded_array(entries[name]))), name
    write_list(
        folder / "weights.json",
        {name: entry for name, entry in entries.items() if name in saved},
        {name: tensor for name, tensor in saved.items() if name not in entries},
    )
    shutil.copy(weights / "config.json", folder / "config.json")


def version_4_tensors(model, language_model_type, trunk_type):
    """The state dict of transformers 4.x, with the extra int64 buffer of the published files. Rotary frequencies went
    through float16 there, and the reference uses those values."""
    tensors = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    positions = model.config.max_position_embeddings
    inv_freq = tensors.pop("esm.rotary_embeddings.inv_freq")
    for index in range(model.config.num_hidden_layers):
        name = f"esm.encoder.layer.{index}.attention.self.rotary_embeddings.inv_freq"
        tensors[name] = inv_freq.half().float()
    tensors["esm.embeddings.position_embeddings.weight"] = torch.ones(positions, model.config.hidden_size)
    for name, tensor in tensors.items():
        if tensor.is_floating_point():
            tensors[name] = tensor.to(language_model_type if name.startswith("esm.") else trunk_type)
    tensors["esm.embeddings.position_ids"] = torch.arange(positions)[None]
    return OrderedDict(sorted(tensors.items()))


def without_base_keys(config):
    """Drops what transformers 5 adds to each nested configuration, and 4.x did not."""
    added = PreTrainedConfig().to_dict().keys()
    return {
        key: {name: value for name, value in without_base_keys(part).items() if name not in added}
        if isinstance(part, dict)
        else part
        for key, part in config.items()
    }


def write_model(spec, folder):
    model = random_model(spec)
    if spec.layout.startswith("v5"):
        model.half().save_pretrained(folder, save_original_format=spec.layout == "v5_original")
        return
    model.config.save_pretrained(folder)
    config = without_base_keys(json.loads((folder / "config.json").read_text()))
    config["torch_dtype"] = config.pop("dtype", None) or "float32"
    config["transformers_version"] = "4.25.0.dev0"
    del config["rope_theta"]
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    if spec.layout == "v4":
        tensors = version_4_tensors(model, torch.float16, torch.float16)
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    else:
        torch.save(version_4_tensors(model, torch.float16, torch.float32), folder / "pytorch_model.bin")


def load_model(folder):
    model, report = EsmForProteinFolding.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    problems = {key: names for key, names in report.items() if names}
    if problems:
        raise RuntimeError(f"{folder} did not load cleanly: {problems}")
    return model.eval()


def kept_parts(output, residues, length):
    """The final outputs that are kept, without linkers, and the numbers that belong to golden.json."""
    rows = torch.tensor(residues)
    mask = output["atom14_atom_exists"][0][rows]  # [L, 14]
    plddt = 100 * atom37_to_atom14(output)[rows] * mask
    positions = output["positions"][-1, 0][rows]
    parts = {
        "positions": positions,
        "angles": output["angles"][-1, 0][rows],
        "plddt": plddt,
        "pae": output["predicted_aligned_error"][0][rows][:, rows],
        "lm_logits": output["lm_logits"][0][rows],
    }
    if length <= 5:
        parts["distogram_logits"] = output["distogram_logits"][0][rows][:, rows]
    atoms = positions[mask.bool()]  # [atoms, 3]
    numbers = {
        "mean_plddt": float(plddt.double().sum() / mask.sum()) if mask.any() else None,
        "ptm": float(output["ptm"]),
        "extent": float(torch.cdist(atoms.double(), atoms.double()).max()) if mask.any() else 0.0,
    }
    return parts, mask.to(torch.uint8), numbers


def deviations(parts, truth, numbers, true_numbers):
    """The largest absolute differences, with two digits; tests/data/esmfold/README.md says in which units."""
    scale = {"positions": max(true_numbers["extent"], 1.0), "plddt": 100.0, "pae": 1.0, "angles": 1.0}
    result = {"ptm": abs(numbers["ptm"] - true_numbers["ptm"])}
    for name, part in parts.items():
        unit = scale.get(name) or float(truth[name].abs().max())
        result[name] = float((part.double() - truth[name].double()).abs().max()) / unit
    return {name: float(f"{value:.1e}") for name, value in result.items()}


def bin_margin(distances):
    """The smallest gap between a recycled distance and a bound of its bins, or None without recycling."""
    bounds = torch.linspace(3.375, 21.375, 14, dtype=torch.float64)
    gaps = [(pairs[..., None] - bounds).abs().min() for pairs in distances]
    return float(min(gaps)) if gaps else None


def choose_sequence(spec, case, model):
    """The first random sequence none of whose recycled distances is near the bound of a bin."""
    for attempt in range(ATTEMPTS):
        text = sequence(spec, case, attempt)
        output, distances = run(model, *fold_input(text, case)[:2], case.recycles)
        margin = bin_margin(distances)
        if margin is None or margin > BIN_MARGIN:
            return text, output, margin
    raise RuntimeError(f"{spec.name} {case}: no sequence keeps its distances {BIN_MARGIN} Å off the bounds of bins")


def golden_case(spec, case, model, exact_model):
    text, output, margin = choose_sequence(spec, case, model)
    letters, index, residues = fold_input(text, case)
    length = len(residues)
    parts, mask, numbers = kept_parts(output, residues, length)
    with exact_rotations():
        exact_output, exact_distances = run(exact_model, letters, index, case.recycles)
    exact_parts, _, exact_numbers = kept_parts(exact_output, residues, length)
    linked = len(case.chains) > 1
    entry = {
        "sequence": text,
        "num_recycles": case.recycles,
        "chain_linker": case.linker if linked else None,
        "chain_gap": case.gap if linked else None,
        "traced": case.traced,
        **numbers,
        "bin_margin": margin,
        "float32_from_exact": deviations(parts, exact_parts, numbers, exact_numbers),
    }
    if case.recycles == 0:
        half_output, _ = run(model, letters, index, 0, bfloat16=True)
        half_parts, _, half_numbers = kept_parts(half_output, residues, length)
        entry["bfloat16_from_float32"] = deviations(half_parts, parts, half_numbers, numbers)
    tensors = {
        "aatype": torch.tensor([residue_constants.restype_order_with_x[letter] for letter in letters]),
        "residue_index": torch.tensor(index),
        "residues": torch.tensor(residues),
        "atom_mask": mask,
        **parts,
    }
    if case.traced:
        trace = traced(model, letters, index, case.recycles)
        with exact_rotations():
            exact_trace = traced(exact_model, letters, index, case.recycles)
        entry["trace_float32_from_exact"] = largest_deviation(trace, exact_trace)
        tensors |= {f"trace.{name}": tensor for name, tensor in trace.items()}
    describe(spec, entry, parts, exact_distances)
    if case.recycles > 0:
        describe_recycling(parts, kept_parts(run(model, letters, index, 0)[0], residues, length)[0], entry)
    return entry, tensors


def traced(model, letters, index, recycles):
    with trace_into(model, recycles) as trace:
        run(model, letters, index, recycles)
    return dict(trace)


def largest_deviation(trace, exact_trace):
    """Over all arrays: the largest absolute difference over the largest absolute value."""
    found = [
        float((trace[name] - exact).abs().max() / exact.abs().max().clamp(min=1e-30))
        for name, exact in exact_trace.items()
    ]
    return float(f"{max(found):.1e}")


def describe(spec, entry, parts, distances):
    """What to look at before the data is trusted: nothing collapsed, nothing constant."""
    spread = [f"{pairs[pairs > 0].min():.1f}..{pairs.max():.1f} Å" for pairs in distances if pairs.max() > 0]
    margin = "" if entry["bin_margin"] is None else f", margin {entry['bin_margin']:.1e}"
    values = {name: part[part != 0] for name, part in parts.items()}
    shown = {name: f"{part.mean():.1f} ± {part.std(correction=0):.2f}" for name, part in values.items() if part.numel()}
    print(f"{spec.name} {entry['sequence']} recycles {entry['num_recycles']}: extent {entry['extent']:.1f} Å,"
          f" pLDDT {entry['mean_plddt']}, pTM {entry['ptm']:.3f}{margin}", file=sys.stderr)  # fmt: skip
    print(f"    recycled distances {spread}, values {shown}", file=sys.stderr)
    print(f"    float32 {entry['float32_from_exact']}", file=sys.stderr)
    print(f"    bfloat16 {entry.get('bfloat16_from_float32')}", file=sys.stderr)


def describe_recycling(parts, first_pass, entry):
    changes = {name: f"{(part - first_pass[name]).abs().mean():.2f}" for name, part in parts.items()}
    print(f"    mean change by recycling {changes}, traces {entry.get('trace_float32_from_exact')}", file=sys.stderr)


def make_model(spec, folder):
    (folder / "golden").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as passing:
        if spec.layout == "seeded":
            write_seeded_model(spec, folder, Path(passing))
            model = load_model(Path(passing))
        else:
            write_model(spec, folder)
            model = load_model(folder)
    exact_model = copy.deepcopy(model).double()
    entries, tensors = [], {}
    for number, case in enumerate(spec.cases):
        entry, arrays = golden_case(spec, case, model, exact_model)
        entries.append(entry)
        tensors |= {f"{number}.{name}": array.contiguous().clone() for name, array in arrays.items()}
    save_file(tensors, folder / "golden" / "model.safetensors")
    golden = {
        "made_with": {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__},
        "layout": spec.layout,
        "cases": entries,
    }
    (folder / "golden.json").write_text(json.dumps(golden, indent=1, allow_nan=False) + "\n")
    for path in folder.rglob("*.safetensors"):
        path.chmod(0o644)  # the safetensors library makes them private


def main():
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)  # sums are taken in the same order on every machine of one kind
    torch.use_deterministic_algorithms(True)
    default = Path(__file__).resolve().parents[2] / "tests/data/esmfold"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    for spec in MODELS:
        if not sys.argv[2:] or spec.name in sys.argv[2:]:
            make_model(spec, folder / spec.name)


if __name__ == "__main__":
    main()
