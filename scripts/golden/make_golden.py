#!/usr/bin/env python3
"""Writes the golden data of the ESM-2 tests with Hugging Face transformers: small random models and what the reference
computes with them. scripts/golden/run calls it in an environment with the right versions.

    make_golden.py [FOLDER]        default: tests/data/esm2

For each case of cases.py, FOLDER/<case>/ gets
    config.json, model.safetensors   the model (or shards and their index)
    golden.json                      sequences, layers and measured deviations
    golden/model.safetensors         for sequence number S:
        S.tokens      int64 [n]      the rows kept of hidden states and logits; 0 is the begin token
        S.hidden.NN   float32 [n, D] after layer NN; 00 is the embedding layer, the last is after the final norm
        S.logits      float32 [n, V]
        S.residues    int64 [m]      the residues whose contacts are kept
        S.contacts    float32 [m, m]

The reference runs in float32 with eager attention, one sequence at a time. golden.json also says, for each tensor, how
far the reference is from an exact (float64) result, and how far its own bfloat16 run is from its float32 run: the
largest absolute difference over the largest absolute value.
"""

import json
import math
import sys
from pathlib import Path

import torch
import transformers
from cases import CASES, kept_residues, kept_tokens, sequence
from exact_esm2 import ExactEsm2
from make_demo_model import VOCAB
from safetensors.torch import save_file
from transformers import EsmConfig, EsmForMaskedLM


def random_model(case):
    """Weights that make every part matter: attention far from uniform, biases and norms far from 0 and 1."""
    config = EsmConfig(
        vocab_size=len(VOCAB),
        pad_token_id=VOCAB.index("<pad>"),
        mask_token_id=VOCAB.index("<mask>"),
        hidden_size=case.hidden_size,
        num_hidden_layers=case.layers,
        num_attention_heads=case.heads,
        intermediate_size=case.intermediate_size,
        max_position_embeddings=34,  # unused with rotary positions, but old files store a table of this length
        position_embedding_type="rotary",
        layer_norm_eps=1e-5,
        token_dropout=case.token_dropout,
        emb_layer_norm_before=case.norm_before,
    )
    model = EsmForMaskedLM(config)
    generator = torch.Generator().manual_seed(sum(case.name.encode()))
    for name, parameter in sorted(model.named_parameters()):
        noise = torch.randn(parameter.shape, generator=generator)
        if "contact_head" in name:
            noise = 8.0 * noise if name.endswith("weight") else noise * 0.2 - 1.0
        elif "word_embeddings" in name:
            pass
        elif "norm" in name.lower() and name.endswith("weight"):
            noise = 1.0 + 0.2 * noise
        elif name.endswith("bias"):
            noise *= 0.2
        else:
            noise *= (1.5 if "query" in name or "key" in name else 1.0) / math.sqrt(parameter.shape[1])
        parameter.data.copy_(noise)
    return model.to(getattr(torch, case.dtype))


def hub_layout(model):
    """The state dict of transformers 4.x, with the extra int64 buffer of the published files, and the tied weight of
    the decoder, which the other layouts leave out."""
    tensors = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    inv_freq = tensors.pop("esm.rotary_embeddings.inv_freq").half().float()
    positions = model.config.max_position_embeddings
    for index in range(model.config.num_hidden_layers):
        name = f"esm.encoder.layer.{index}.attention.self.rotary_embeddings.inv_freq"
        tensors[name] = inv_freq.clone()
    tensors["esm.embeddings.position_ids"] = torch.arange(positions)[None]
    tensors["esm.embeddings.position_embeddings.weight"] = torch.ones(positions, model.config.hidden_size)
    return tensors


def write_model(case, folder):
    model = random_model(case)
    if case.layout == "hub":
        model.config.save_pretrained(folder)
        config = json.loads((folder / "config.json").read_text())
        config["torch_dtype"] = config.pop("dtype", None) or case.dtype
        config["transformers_version"] = "4.25.0.dev0"
        del config["rope_theta"]
        (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
        save_file(hub_layout(model), folder / "model.safetensors", metadata={"format": "pt"})
    else:
        options = {"max_shard_size": case.shard_size} if case.shard_size else {}
        model.save_pretrained(folder, save_original_format=case.layout == "v5_original", **options)


def load_model(folder, dtype):
    model, report = EsmForMaskedLM.from_pretrained(
        folder, dtype=dtype, attn_implementation="eager", output_loading_info=True
    )
    problems = {key: names for key, names in report.items() if names}
    if problems:
        raise RuntimeError(f"{folder} did not load cleanly: {problems}")
    return model.eval()


def run_reference(model, tokens):
    mask = torch.ones_like(tokens)[None]
    output = model(tokens[None], attention_mask=mask, output_hidden_states=True)
    contacts = model.predict_contacts(tokens[None], mask)
    return [hidden[0] for hidden in output.hidden_states], output.logits[0], contacts[0]


def kept_parts(case, length, layers, result):
    hidden, logits, contacts = result
    tokens = torch.tensor(kept_tokens(length))
    residues = torch.tensor(kept_residues(case, length))
    parts = {f"hidden.{layer:02d}": hidden[layer][tokens] for layer in layers}
    parts["logits"] = logits[tokens]
    parts["contacts"] = contacts[residues][:, residues]
    return {"tokens": tokens, "residues": residues}, parts


def deviations(parts, truth):
    """The largest absolute difference over the largest absolute value, of each tensor, with two digits."""
    return {
        name: float(f"{(part.double() - truth[name].double()).abs().max() / truth[name].abs().max():.1e}")
        for name, part in parts.items()
    }


def make_case(case, folder):
    (folder / "golden").mkdir(parents=True, exist_ok=True)
    write_model(case, folder)
    model = load_model(folder, torch.float32)
    half_model = load_model(folder, torch.bfloat16)
    exact_model = ExactEsm2(model.config, model.state_dict(), model.esm.rotary_embeddings.inv_freq)
    layers = [0, case.layers // 2, case.layers]
    tensors, entries = {}, []
    for number, length in enumerate(case.lengths):
        residues = sequence(case, length)
        tokens = torch.tensor([VOCAB.index(token) for token in ["<cls>", *residues, "<eos>"]])
        rows, parts = kept_parts(case, length, layers, run_reference(model, tokens))
        _, exact_parts = kept_parts(case, length, layers, exact_model(tokens))
        _, half_parts = kept_parts(case, length, layers, run_reference(half_model, tokens))
        for name, tensor in (rows | parts).items():
            tensors[f"{number}.{name}"] = tensor.contiguous()
        entry = {
            "residues": residues,
            "float32_from_exact": deviations(parts, exact_parts),
            "bfloat16_from_float32": deviations(half_parts, parts),
        }
        entries.append(entry)
        print(f"{case.name} L={length}: float32 {entry['float32_from_exact']}", file=sys.stderr)
        print(f"    bfloat16 {entry['bfloat16_from_float32']}", file=sys.stderr)
    save_file(tensors, folder / "golden" / "model.safetensors")
    golden = {
        "made_with": {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__},
        "stored_dtype": case.dtype,
        "layout": case.layout,
        "layers": layers,
        "sequences": entries,
    }
    (folder / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")
    for path in folder.rglob("*.safetensors"):
        path.chmod(0o644)  # the safetensors library makes them private


def main():
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)  # sums are taken in the same order on every machine of one kind
    torch.use_deterministic_algorithms(True)
    default = Path(__file__).resolve().parents[2] / "tests/data/esm2"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    for case in CASES:
        make_case(case, folder / case.name)


if __name__ == "__main__":
    main()
