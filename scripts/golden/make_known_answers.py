#!/usr/bin/env python3
"""Writes known_answers.json beside two of the golden models: what transformers computes with them, in the form in which
src/weights/known_answers.json has what is published of the trained models. scripts/golden/run calls it.

    make_known_answers.py [FOLDER]        default: tests/data, whose golden models must be there
"""

import json
import sys
from pathlib import Path

import torch
import transformers
from fold_reference import run
from safetensors.torch import load_file
from transformers import EsmForProteinFolding

SOURCE = f"transformers {transformers.__version__}, for pleat's tests"
# The case of the language model, and that of the folding model, by number.
LANGUAGE_MODEL, TOKENS, NUMBERS, SEQUENCE = "head16", 3, 3, 1
FOLDING_MODEL, FOLD = "ordinary", 1


def rounded(values):
    return [[round(float(value), 4) + 0.0 for value in row] for row in values]


def write(folder, answers):
    text = json.dumps({"answers": answers}, indent=1)
    (folder / "known_answers.json").write_text(text + "\n")


def language_model_answers(folder):
    golden = json.loads((folder / "golden.json").read_text())
    states = load_file(folder / "golden" / "model.safetensors")[f"{SEQUENCE}.hidden.{golden['layers'][-1]:02d}"]
    return [
        {
            "quantity": "last_layer",
            "sequence": golden["sequences"][SEQUENCE]["residues"],
            "values": rounded(states[:TOKENS, :NUMBERS]),
            "bounds": {"float32": 1e-4, "tf32": 0.01, "bfloat16": 0.05, "float16": 0.01},
            "source": SOURCE,
        }
    ]


def folding_answers(folder):
    case = json.loads((folder / "golden.json").read_text())["cases"][FOLD]
    model = EsmForProteinFolding.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    letters = case["sequence"]
    output, _ = run(model, letters, list(range(len(letters))), case["num_recycles"])
    common = {"sequence": letters, "passes": case["num_recycles"] + 1, "source": SOURCE}
    nitrogen = output["positions"][0, 0, 0, 0]
    return [
        {
            "quantity": "first_block_nitrogen",
            **common,
            "values": rounded([nitrogen]),
            "bounds": {"float32": 1e-3, "tf32": 1.0, "bfloat16": 2.0, "float16": 1.0},
        },
        {
            "quantity": "mean_plddt",
            **common,
            "values": rounded([[case["mean_plddt"]]]),
            "bounds": {"float32": 1e-3, "tf32": 1.0, "bfloat16": 2.0, "float16": 1.0},
        },
    ]


def main():
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    default = Path(__file__).resolve().parents[2] / "tests/data"
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    language_model, folding_model = data / "esm2" / LANGUAGE_MODEL, data / "esmfold" / FOLDING_MODEL
    write(language_model, language_model_answers(language_model))
    write(folding_model, folding_answers(folding_model))


if __name__ == "__main__":
    main()
