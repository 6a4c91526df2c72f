"""`pleat run` with a folding model: the numbers in /structures, and what they do not depend on."""

import json

import numpy as np
import pytest
import safetensors
from folding import GOLDEN, SMALL, fold, fold_job, golden_model, same
from job import fasta, proteins, rows_by_sequence, structures

MODELS = sorted(folder.name for folder in GOLDEN.iterdir() if folder.is_dir())
CASES = [(name, number) for name in MODELS
         for number in range(len(json.loads((GOLDEN / name / "golden.json").read_text())["cases"]))]


@pytest.fixture
def job(tmp_path):
    return fold_job(tmp_path)


# The numbers

def test_the_golden_data_is_there():
    assert len(MODELS) >= 5 and len(CASES) >= 30


@pytest.mark.parametrize("model, number", CASES)
def test_float32_structures_are_those_of_transformers(job, model, number, tmp_path):
    case = json.loads((GOLDEN / model / "golden.json").read_text())["cases"][number]
    arrays = safetensors.read(GOLDEN / model / "golden/model.safetensors")
    golden = {name.removeprefix(f"{number}."): value for name, value in arrays.items() if name.startswith(f"{number}.")}
    job.keys["model"] = str(golden_model(model, tmp_path))
    keys = {"num_recycles": case["num_recycles"]}
    if case["chain_linker"] is not None:
        keys |= {"chain_linker": case["chain_linker"], "chain_gap": case["chain_gap"]}
    found = fold(job, [case["sequence"]], **keys)["p0"]
    np.testing.assert_array_equal(found["atom_mask"], golden["atom_mask"])
    assert np.abs(found["positions"] - golden["positions"]).max() <= 1e-4 * max(case["extent"], 1)
    assert np.abs(found["plddt"] - golden["plddt"]).max() <= 0.05
    assert np.abs(found["pae"] - golden["pae"]).max() <= 0.01
    assert abs(found["ptm"] - case["ptm"]) <= 1e-3
    assert found["recycles"] == case["num_recycles"]
    if case["mean_plddt"] is None:
        assert np.isnan(found["mean_plddt"])
    else:
        assert abs(found["mean_plddt"] - case["mean_plddt"]) <= 0.05


def test_chains_are_numbered_and_linkers_left_out(job):
    found = fold(job, ["MDDGCF:PI:A"])["p0"]
    assert list(found["chain"]) == [0] * 6 + [1] * 2 + [2]
    assert list(found["residue_number"]) == [1, 2, 3, 4, 5, 6, 1, 2, 1]
    assert found["positions"].shape == (9, 14, 3) and found["pae"].shape == (9, 9)


def test_linker_and_gap_matter(job):
    usual = fold(job, ["MDDGCF:PIF"])["p0"]
    same(usual, fold(job, ["MDDGCF:PIF"], chain_linker=25, chain_gap=512)["p0"])
    for keys in ({"chain_linker": 3, "chain_gap": 512}, {"chain_linker": 25, "chain_gap": 0}):
        assert not np.array_equal(usual["positions"], fold(job, ["MDDGCF:PIF"], **keys)["p0"]["positions"])
    # Without a linker and a gap nothing is left of the break.
    without = fold(job, ["MDDGCF:PIF"], chain_linker=0, chain_gap=0)["p0"]
    joined = fold(job, ["MDDGCFPIF"])["p0"]
    np.testing.assert_array_equal(without["positions"], joined["positions"])


def test_confidences_in_float16(job):
    sequences = proteins(3, 5, 30)
    exact = fold(job, sequences)
    rounded = fold(job, sequences, dtype="float16")
    for name, arrays in rounded.items():
        assert arrays["plddt"].dtype == arrays["pae"].dtype == np.float16
        assert arrays["positions"].dtype == np.float32
        np.testing.assert_array_equal(arrays["positions"], exact[name]["positions"])
        np.testing.assert_array_equal(arrays["pae"], exact[name]["pae"].astype(np.float16))


def test_without_pae(job):
    sequences = proteins(2, 5, 20)
    whole = fold(job, sequences)
    part = fold(job, sequences, pae=False)
    for name in part:
        assert "pae" not in part[name]
        del whole[name]["pae"]
        same(part[name], whole[name])


def test_bfloat16_is_near_float32(job):
    job.keys["tasks"]["structure"]["num_recycles"] = 0
    sequences = proteins(3, 10, 40)
    exact = fold(job, sequences)
    rounded = fold(job, sequences, "--set", "run.precision=bf16")
    for name in exact:
        extent = np.ptp(exact[name]["positions"][exact[name]["atom_mask"] > 0], axis=0).max()
        assert np.abs(rounded[name]["positions"] - exact[name]["positions"]).max() < 0.2 * extent
        assert not np.array_equal(rounded[name]["positions"], exact[name]["positions"])


# What a structure does not depend on

def test_bits_do_not_depend_on_the_other_sequences(job):
    sequences = proteins(7, 1, 50) + ["MDDGCF:PIFPNRE"]
    together = fold(job, sequences)
    one_by_one = fold(job, sequences, "--set", "run.max_tokens_per_batch=8")
    backwards = fold(job, sequences[::-1], names=[f"p{i}" for i in range(len(sequences))][::-1])
    for name in together:
        same(together[name], one_by_one[name])
        same(together[name], backwards[name])
    for number in (0, 7):
        same(together[f"p{number}"], fold(job, [sequences[number]])["p0"])


@pytest.mark.parametrize("chunk", [1, 3, 16, 4096])
def test_bits_do_not_depend_on_the_chunk(job, chunk):
    job.keys["model"] = str(GOLDEN / "wide_pair")
    sequences = proteins(2, 17, 40)
    whole = fold(job, sequences)
    parts = fold(job, sequences, "--set", f"run.chunk_size={chunk}")
    for name in whole:
        same(whole[name], parts[name])


def test_embeddings_come_from_the_same_pass(job):
    sequences = proteins(4, 3, 60) + ["MDDGCF:PIFPNRE"]
    job.input("in.fasta", fasta(sequences))
    embeddings = {"layers": [0, 1, -1], "bos": True, "dtype": "float32"}
    structure = fold(job, sequences)
    job.keys["tasks"] = {"embeddings": embeddings, "contacts": True}
    with job.compute("--overwrite") as file:
        alone = rows_by_sequence(file)
        assert "structures" not in file
    job.keys["tasks"]["structure"] = SMALL
    with job.compute("--overwrite") as file:
        both = rows_by_sequence(file)
        for name, arrays in structures(file).items():
            same(arrays, structure[name])
    for residues in alone:
        assert set(alone[residues]) >= {f"embeddings/layer_{layer:02d}/mean" for layer in (0, 1, 3)}
        same(alone[residues], both[residues])


def test_only_structures_are_there_when_only_they_are_asked_for(job):
    job.input("in.fasta", fasta(proteins(2)))
    with job.compute() as file:
        assert sorted(file) == ["inputs", "records", "sequences", "structures"]


# Recycling

def test_recycles_are_recorded(job):
    sequences = proteins(3, 20, 40)
    never = fold(job, sequences, num_recycles=6)
    assert [arrays["recycles"] for arrays in never.values()] == [6, 6, 6]
    # Any change at all is below this, so that the second pass is the last.
    early = fold(job, sequences, num_recycles=6, recycle_tolerance=1e6)
    assert [arrays["recycles"] for arrays in early.values()] == [1, 1, 1]
    for name, arrays in fold(job, sequences, num_recycles=1, recycle_tolerance=0).items():
        same(arrays, early[name])
    # Below no tolerance that is this small.
    for name, arrays in fold(job, sequences, num_recycles=6, recycle_tolerance=1e-30).items():
        assert arrays["recycles"] <= 6


def test_no_recycles_is_one_pass(job):
    sequences = proteins(2, 10, 20)
    none = fold(job, sequences, num_recycles=0)
    one = fold(job, sequences, num_recycles=1)
    for name in none:
        assert none[name]["recycles"] == 0
        assert not np.array_equal(none[name]["positions"], one[name]["positions"])
