"""Folding what cannot be folded as it stands: letters, chains, lengths, tasks and models."""

import json

import numpy as np
import pytest
import safetensors
from folding import FOLDING, GOLDEN, fold, fold_job
from job import MODEL, fasta, proteins, records, structures


@pytest.fixture
def job(tmp_path):
    return fold_job(tmp_path)


# Letters

def test_letters_that_a_folding_model_does_not_know_become_x(job):
    job.input("in.fasta", ">b\nACBUZODE\n>x\nACXXXXDE\n>j\nACJXXXDE\n>low\nacxxxxde*\n>gap\nAC-DE\n")
    done = job.run()
    assert done.returncode == 65, done.stderr
    with job.open() as file:
        told = records(file)
        found = structures(file)
        assert file["sequences/offsets"].shape == (2,)
    assert told["b"] == ("ok", "residues_converted",
                         "letters outside the model's alphabet became X: 1 B, 1 O, 1 U, 1 Z")
    assert told["x"] == told["low"] == ("ok", "", "")
    assert told["j"][:2] == ("ok", "residues_converted")
    assert told["gap"][:2] == ("rejected", "bad_residue")
    assert list(found["b"]["atom_mask"].any(axis=1)) == [True] * 2 + [False] * 4 + [True] * 2
    assert not found["b"]["positions"][2:6].any() and not found["b"]["plddt"][2:6].any()


def test_embeddings_of_a_folding_model_know_the_same_letters(job):
    job.input("in.fasta", ">b\nACBDE\n")
    job.keys["tasks"] = {"embeddings": True}
    with job.compute() as file:
        assert file["sequences/residues"][:].tobytes() == b"ACXDE"
        assert records(file)["b"][1] == "residues_converted"


def test_strict_rejects_them(job):
    job.keys["policy"] = {"residues": "strict"}
    job.input("in.fasta", ">b\nACBDE\n>u\nACUDE\n>x\nACXDE\n>lower\nacd\n")
    assert job.run().returncode == 65
    with job.open() as file:
        told = records(file)
    assert told["x"] == ("ok", "", "")
    for name in ("b", "u", "lower"):
        assert told[name][:2] == ("rejected", "bad_residue"), told[name]


def test_nothing_but_x(job):
    found = fold(job, ["XXXXX", "X"])
    for arrays in found.values():
        assert not arrays["atom_mask"].any() and not arrays["positions"].any()
        assert np.isnan(arrays["mean_plddt"]) and np.isfinite(arrays["ptm"])


def test_empty_chains(job):
    job.input("in.fasta", ">one\nAC::DE\n>first\n:ACD\n>last\nACD:\n>sound\nA:C\n")
    assert job.run().returncode == 65
    with job.open() as file:
        told = records(file)
        assert structures(file)["sound"]["positions"].shape == (2, 14, 3)
    assert told["sound"] == ("ok", "", "")
    for name in ("one", "first", "last"):
        assert told[name][:2] == ("rejected", "empty_chain"), told[name]


# What does not fit

def test_thousands_of_chains_end_in_an_answer(job):
    job.keys["tasks"]["structure"]["num_recycles"] = 0
    job.input("in.fasta", ">many\n" + ":".join("A" * 3000) + "\n>some\n" + ":".join("A" * 5) + "\n")
    done = job.run(timeout=300)
    assert done.returncode in (0, 65), done.stderr
    with job.open() as file:
        told = records(file)
    assert told["some"] == ("ok", "", "")
    if done.returncode == 65:
        assert told["many"][:2] == ("rejected", "does_not_fit")
        assert "3000 residues, with the linkers between chains 77975 do not fit" in told["many"][2]


def test_a_sequence_beyond_any_memory_is_refused_before_weights_are_loaded(job):
    # Eight terabytes of pair state.
    job.input("in.fasta", fasta(["A" * 400_000, "ACDE"], ["long", "short"]))
    job.keys["model"] = str(GOLDEN / "wide_pair")
    done = job.run("--progress", "none")
    assert done.returncode == 65, done.stderr
    lines = done.stderr.splitlines()
    (warned,) = [number for number, line in enumerate(lines) if "1 record with does_not_fit" in line]
    (loaded,) = [number for number, line in enumerate(lines) if "folding blocks" in line]
    assert warned < loaded
    with job.open() as file:
        told = records(file)
        assert file["sequences/offsets"].shape == (2,)
        assert np.isfinite(structures(file)["short"]["positions"]).all()
    status, code, message = told["long"]
    assert (status, code) == ("rejected", "does_not_fit")
    would = int(message.removesuffix(" would").rsplit(" ", 1)[1])
    assert message.startswith("400000 residues do not fit into this machine's free memory")
    assert 100 < would < 400_000


def test_a_given_chunk_counts_when_it_is_asked_what_fits(job):
    job.keys["model"] = str(GOLDEN / "wide_pair")
    job.input("in.fasta", fasta(["A" * 400_000, "ACDE"], ["long", "short"]))
    would = {}
    for chunk in ("auto", "4096"):
        assert job.run("--overwrite", "--set", f"run.chunk_size={chunk}").returncode == 65
        with job.open() as file:
            would[chunk] = int(records(file)["long"][2].removesuffix(" would").rsplit(" ", 1)[1])
    assert would["4096"] < 0.97 * would["auto"]


# Tasks and models that do not go together

def test_a_language_model_cannot_fold(job, tmp_path):
    job.keys["model"] = str(MODEL)
    job.input("in.fasta", ">a\nACD\n")
    job.refused(78, "tasks.structure", "esmfold_v1")
    # Told before anything is loaded.
    (tmp_path / "model").mkdir()
    (tmp_path / "model/config.json").write_text((MODEL / "config.json").read_text())
    (tmp_path / "model/model.safetensors").write_text("no weights")
    job.keys["model"] = str(tmp_path / "model")
    job.refused(78, "tasks.structure")


def test_a_folding_model_has_no_logits(job):
    job.input("in.fasta", ">a\nACD\n")
    job.keys["tasks"]["logits"] = True
    job.refused(78, "tasks.logits", "no head for logits", "ESM-2")
    job.keys["tasks"] = {"logits": True}
    job.refused(78, "tasks.logits")


# A model whose parts disagree

@pytest.fixture
def spoilt(job, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_bytes((FOLDING / name).read_bytes())
    job.keys["model"] = str(folder)
    job.input("in.fasta", ">a\nACD\n")
    job.config = folder / "config.json"
    job.weights = folder / "model.safetensors"
    return job


def change_trunk(config, **keys):
    trunk = config["esmfold_config"]["trunk"]
    trunk |= keys
    return config


CONFIGS = {  # a change, and words of the message
    "another depth": (lambda config: change_trunk(config, num_blocks=3), "missing", "trunk.blocks.2."),
    "fewer blocks": (lambda config: change_trunk(config, num_blocks=1), "unexpected", "trunk.blocks.1."),
    "heads that do not divide": (lambda config: change_trunk(config, pairwise_head_width=7), "pairwise_head_width"),
    "an absurd width": (lambda config: change_trunk(config, sequence_state_dim=10**12), "sequence_state_dim"),
    "another width than the weights": (lambda config: change_trunk(config, position_bins=5),
                                       "trunk.pairwise_positional_embedding.embedding.weight", "[12, "),
    "the published trunk": (lambda config: config | {"esmfold_config": None}, "missing", "belong together"),
    "a trunk for a language model": (lambda config: config | {"is_folding_model": False}, "is_folding_model"),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_a_config_whose_parts_disagree(spoilt, case):
    change, *words = CONFIGS[case]
    spoilt.config.write_text(json.dumps(change(json.loads(spoilt.config.read_text()))))
    spoilt.refused(66, *words)


@pytest.mark.parametrize("tasks", [{"structure": True}, {"embeddings": True}])
def test_every_tensor_is_checked_whatever_the_task(spoilt, tasks):
    tensors = safetensors.read(spoilt.weights)
    gone = "trunk.structure_module.ipa.linear_q.weight"
    assert gone in tensors
    safetensors.write(spoilt.weights, {name: value for name, value in tensors.items() if name != gone})
    spoilt.keys["tasks"] = tasks
    spoilt.refused(66, "1 missing", gone)


def test_weights_that_are_no_numbers(spoilt):
    tensors = {name: value.copy() for name, value in safetensors.read(spoilt.weights).items()}
    tensors["trunk.blocks.0.tri_mul_out.linear_z.weight"].flat[0] = np.nan
    safetensors.write(spoilt.weights, tensors)
    spoilt.refused(66, "trunk.blocks.0.tri_mul_out.linear_z.weight", "NaN")


def test_numbers_that_overflow_fail_their_record(spoilt):
    tensors = {name: value.copy() for name, value in safetensors.read(spoilt.weights).items()}
    for name in ("ptm_head.weight", "ptm_head.bias"):
        tensors[name] = np.full(tensors[name].shape, 3e38, np.float32)
    safetensors.write(spoilt.weights, tensors)
    done = spoilt.run()
    assert done.returncode == 65, done.stderr
    with spoilt.open() as file:
        status, code, message = records(file)["a"]
        assert (status, code) == ("failed", "not_finite"), message
        assert np.isnan(file["structures/positions"][:]).all() and not file["structures/atom_mask"][:].any()


def test_one_confidence_for_all_is_noted(spoilt):
    tensors = {name: value.copy() for name, value in safetensors.read(spoilt.weights).items()}
    last = sorted(name for name in tensors if name.startswith("lddt_head."))[-2:]
    for name in last:
        tensors[name] = np.zeros_like(tensors[name])
    safetensors.write(spoilt.weights, tensors)
    spoilt.input("in.fasta", fasta(proteins(1, 30, 40) + ["ACDEF"], ["long", "short"]))
    done = spoilt.run()
    assert done.returncode == 0, done.stderr
    assert "1 record with suspicious_structure" in done.stderr
    with spoilt.open() as file:
        told = records(file)
        assert np.isfinite(structures(file)["long"]["positions"]).all()
    assert told["long"][:2] == ("ok", "suspicious_structure") and "same pLDDT" in told["long"][2]
    assert told["short"] == ("ok", "", "")
