"""Every path that this processor has, forced by PLEAT_CPU: the golden numbers, and bits that no batch changes."""

import json
import os
import re
import subprocess

import numpy as np
import pytest
import safetensors
from folding import FOLDING, SMALL, same
from folding import GOLDEN as FOLDS
from job import (MODEL, PLEAT, REPOSITORY, Job, assert_same_numbers, fasta, numbers, proteins, rows_by_sequence,
                 structures)

ALL = ["amx", "avx512_bf16", "avx512", "avx2", "baseline"]


def usable():
    done = subprocess.run([PLEAT, "doctor", "--json"], capture_output=True, text=True)
    text = next(found["text"] for found in json.loads(done.stdout)["findings"] if found["subject"] == "processor")
    return re.search("PLEAT_CPU can be (.*)", text)[1].split(", ")


PATHS = usable()
EACH = pytest.mark.parametrize("path", PATHS)
PRECISIONS = pytest.mark.parametrize("precision", ["fp32", "bf16"])


def on(path):
    return {"env": os.environ | {"PLEAT_CPU": path}}


def test_doctor_lists_what_the_processor_has():
    assert PATHS == ALL[-len(PATHS):]
    flags = open("/proc/cpuinfo").read().split()
    assert ("avx512_bf16" in PATHS) == ("avx512_bf16" in flags and "avx512vl" in flags)
    assert ("avx2" in PATHS) == ("avx2" in flags)


def test_a_path_that_is_not_there_is_refused(tmp_path):
    job = Job(tmp_path)
    job.input("in.fasta", ">a\nACD\n")
    lacking = [path for path in ALL if path not in PATHS]
    for path in [*lacking, "avx9", "AVX2"]:
        done = job.run(**on(path))
        assert done.returncode == 69 and f"PLEAT_CPU is '{path}'" in done.stderr, done.stderr
        assert "baseline" in done.stderr
        assert not job.left()


@EACH
def test_the_log_says_what_computes(path, tmp_path):
    job = Job(tmp_path)
    job.input("in.fasta", ">a\nACD\n")
    done = job.run("--set", "run.precision=bf16", **on(path))
    assert done.returncode == 0
    assert f"computes in bfloat16 with PLEAT_CPU={path}" in done.stderr and "linear layers by " in done.stderr


@EACH
@PRECISIONS
def test_batches_change_no_bit(path, precision, tmp_path):
    job = Job(tmp_path)
    sequences = proteins(24, longest=300)
    job.input("in.fasta", fasta(sequences))
    job.keys["tasks"] = {"embeddings": {"layers": [0, 1, 2], "dtype": "float32"}, "logits": True, "contacts": True}
    found = []
    for tokens in (310, 1000, 100000):
        arguments = ("--set", f"run.precision={precision}", "--set", f"run.max_tokens_per_batch={tokens}")
        with job.compute(*arguments, "--overwrite", **on(path)) as file:
            found.append(rows_by_sequence(file))
    for residues in sequences:
        for other in found[1:]:
            same(found[0][residues], other[residues])


@EACH
def test_embeddings_are_those_of_transformers(path, tmp_path):
    golden = safetensors.read(MODEL / "golden/model.safetensors")
    told = json.loads((MODEL / "golden.json").read_text())
    job = Job(tmp_path)
    job.input("in.fasta", fasta([sequence["residues"] for sequence in told["sequences"]]))
    job.keys["tasks"] = {"embeddings": {"layers": told["layers"], "dtype": "float32"}}
    with job.compute("--set", "run.precision=fp32", **on(path)) as file:
        computed = rows_by_sequence(file)
    for index, sequence in enumerate(told["sequences"]):
        residues = sequence["residues"]
        tokens = golden[f"{index}.tokens"]
        inside = (tokens > 0) & (tokens <= len(residues))
        for layer in told["layers"]:
            expected = golden[f"{index}.hidden.{layer:02d}"]
            rows = computed[residues][f"embeddings/layer_{layer:02d}/per_residue"][tokens[inside] - 1]
            assert np.abs(rows - expected[inside]).max() <= 2e-5 * np.abs(expected).max()


@EACH
def test_structures_are_those_of_transformers(path, tmp_path):
    told = json.loads((FOLDS / "ordinary/golden.json").read_text())["cases"]
    golden = safetensors.read(FOLDS / "ordinary/golden/model.safetensors")
    case = next(number for number, case in enumerate(told) if case["chain_linker"] is None)
    job = Job(tmp_path, FOLDING)
    job.input("in.fasta", fasta([told[case]["sequence"]]))
    job.keys["tasks"] = {"structure": SMALL | {"num_recycles": told[case]["num_recycles"]}}
    with job.compute("--set", "run.precision=fp32", **on(path)) as file:
        found = structures(file)["p0"]
    assert np.abs(found["positions"] - golden[f"{case}.positions"]).max() <= 1e-4 * max(told[case]["extent"], 1)
    assert np.abs(found["plddt"] - golden[f"{case}.plddt"]).max() <= 0.05
    assert np.abs(found["pae"] - golden[f"{case}.pae"]).max() <= 0.01


def test_programs_that_start_together_have_the_same_numbers(tmp_path):
    """A library that sets itself up at a function's first call must not let two threads race for it. With more programs
    than processors, threads stop at any place."""
    jobs = []
    for number in range(16):
        (tmp_path / str(number)).mkdir()
        jobs.append(Job(tmp_path / str(number), REPOSITORY / "tests/data/esm2/head128_shards"))
        jobs[-1].input("in.fasta", fasta(proteins(1, shortest=300, longest=300)))
        jobs[-1].keys["tasks"] = {"embeddings": {"layers": [1, 2], "dtype": "float32"}}
    processes = [job.start("--set", "run.precision=fp32") for job in jobs]
    for process in processes:
        assert process.wait(timeout=600) == 0, process.stderr.read()
    found = [numbers(job.open()) for job in jobs]
    for other in found[1:]:
        assert_same_numbers(other, found[0])


@EACH
@PRECISIONS
def test_a_fold_does_not_depend_on_its_batch(path, precision, tmp_path):
    job = Job(tmp_path, FOLDING)
    sequences = proteins(6, shortest=3, longest=40)
    job.input("in.fasta", fasta(sequences))
    job.keys["tasks"] = {"structure": SMALL}
    found = []
    for tokens in (42, 1000):
        arguments = ("--set", f"run.precision={precision}", "--set", f"run.max_tokens_per_batch={tokens}")
        with job.compute(*arguments, "--overwrite", **on(path)) as file:
            found.append(structures(file))
    for name in found[0]:
        same(found[0][name], found[1][name])
