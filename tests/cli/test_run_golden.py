"""Through the whole program, into the file: the numbers that transformers computes for the same models."""

import json

import numpy as np
import pytest
import safetensors
from job import MODEL, REPOSITORY, Job, fasta, rows_by_sequence, texts

GOLDEN = REPOSITORY / "tests/data/esm2"
CASES = sorted(folder.name for folder in GOLDEN.iterdir())
VOCABULARY = "<cls> <pad> <eos> <unk> L A G V S E R T I D P K Q N F Y M H W C X B U Z O . - <null_1> <mask>".split()


def test_the_golden_data_is_there():
    assert len(CASES) >= 4


def deviation(actual, expected):
    assert actual.shape == expected.shape
    return np.abs(actual - expected).max() / np.abs(expected).max()


@pytest.mark.parametrize("case", CASES)
def test_float32_results_are_those_of_transformers(case, tmp_path):
    told = json.loads((GOLDEN / case / "golden.json").read_text())
    golden = safetensors.read(GOLDEN / case / "golden/model.safetensors")
    job = Job(tmp_path, GOLDEN / case)
    sequences = [sequence["residues"] for sequence in told["sequences"]]
    job.input("in.fasta", fasta(sequences))
    job.keys["tasks"] = {"embeddings": {"layers": told["layers"], "bos": True, "dtype": "float32"},
                         "logits": True, "contacts": True}
    with job.compute("--set", "run.precision=fp32") as file:
        assert file.attrs["precision"] == "float32"
        computed = rows_by_sequence(file)
        alphabet = list(file["logits"].attrs["alphabet"])
        assert texts(file["records/error_code"]) == [""] * len(sequences)
        depth = int(sorted(file["embeddings"])[-1].removeprefix("layer_"))
    columns = [VOCABULARY.index(letter) for letter in alphabet]
    assert depth == max(told["layers"])
    for index, residues in enumerate(sequences):
        arrays = computed[residues]
        tokens = golden[f"{index}.tokens"]  # 0 is the begin token; the end token has no row in the file
        of_residues = (tokens > 0) & (tokens <= len(residues))
        rows = tokens[of_residues] - 1
        for layer in told["layers"]:
            expected = golden[f"{index}.hidden.{layer:02d}"]
            scale = np.abs(expected).max()
            at = f"embeddings/layer_{layer:02d}/"
            assert np.abs(arrays[at + "per_residue"][rows] - expected[of_residues]).max() <= 2e-5 * scale
            assert np.abs(arrays[at + "bos"] - expected[tokens == 0][0]).max() <= 2e-5 * scale
            mean = arrays[at + "per_residue"].astype(np.float64).mean(axis=0)
            np.testing.assert_allclose(arrays[at + "mean"], mean, atol=1e-6 * scale, rtol=1e-6)
        logits = golden[f"{index}.logits"]
        difference = arrays["logits"][rows] - logits[of_residues][:, columns]
        assert np.abs(difference).max() <= 2e-5 * np.abs(logits).max()
        contacts = arrays["contacts/values"].reshape(len(residues), len(residues))
        kept = golden[f"{index}.residues"]
        assert deviation(contacts[np.ix_(kept, kept)], golden[f"{index}.contacts"]) <= 2e-5


def test_bfloat16_is_near_float32(tmp_path):
    job = Job(tmp_path)
    sequences = [sequence["residues"] for sequence in json.loads((MODEL / "golden.json").read_text())["sequences"]]
    job.input("in.fasta", fasta(sequences))
    job.keys["tasks"] = {"embeddings": {"dtype": "float32"}}
    with job.compute("--set", "run.precision=fp32") as file:
        exact = rows_by_sequence(file)
    with job.compute("--set", "run.precision=bf16", "--overwrite") as file:
        assert file.attrs["precision"] == "bfloat16"
        rounded = rows_by_sequence(file)
    for residues in sequences:
        path = "embeddings/layer_02/per_residue"
        # Eight bits of mantissa in two layers; transformers' own bfloat16 is 1 to 2 % off for these.
        assert 1e-5 < deviation(rounded[residues][path], exact[residues][path]) < 0.02
