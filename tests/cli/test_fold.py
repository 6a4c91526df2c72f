"""`pleat run` with a folding model, from a manifest to /structures."""

import json
import subprocess

import numpy as np
import pytest
import safetensors
from job import MODEL, PLEAT, REPOSITORY, Job, fasta, proteins, records, rows_by_sequence, structures

GOLDEN = REPOSITORY / "tests/data/esmfold"
MODELS = sorted(folder.name for folder in GOLDEN.iterdir() if folder.is_dir())
FOLDING = GOLDEN / "ordinary"
CASES = [(name, number) for name in MODELS
         for number in range(len(json.loads((GOLDEN / name / "golden.json").read_text())["cases"]))]
SMALL = {"num_recycles": 1, "dtype": "float32"}


@pytest.fixture
def job(tmp_path):
    (tmp_path / "job").mkdir()
    job = Job(tmp_path / "job", FOLDING)
    job.keys["tasks"] = {"structure": dict(SMALL)}
    job.keys["run"] = {"precision": "fp32"}
    return job


def fold(job, sequences, *arguments, names=None, **keys):
    """id -> arrays of a run that must succeed."""
    job.input("in.fasta", fasta(sequences, names))
    job.keys["tasks"]["structure"] |= keys
    with job.compute("--overwrite", *arguments) as file:
        return structures(file)


def same(one, other):
    """Equal bit by bit, what was never computed included."""
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


# The numbers

def test_the_golden_data_is_there():
    assert len(MODELS) >= 4 and len(CASES) >= 25


@pytest.mark.parametrize("model, number", CASES)
def test_float32_structures_are_those_of_transformers(job, model, number):
    case = json.loads((GOLDEN / model / "golden.json").read_text())["cases"][number]
    arrays = safetensors.read(GOLDEN / model / "golden/model.safetensors")
    golden = {name.removeprefix(f"{number}."): value for name, value in arrays.items() if name.startswith(f"{number}.")}
    job.keys["model"] = str(GOLDEN / model)
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


def test_bfloat16_is_near_float32_where_the_processor_has_it(job):
    job.keys["tasks"]["structure"]["num_recycles"] = 0
    sequences = proteins(3, 10, 40)
    if "avx512_bf16" not in open("/proc/cpuinfo").read():
        job.input("in.fasta", fasta(sequences))
        job.refused(69, "run.precision is bf16", "hint", arguments=("--set", "run.precision=bf16"))
        return
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
        assert sorted(file) == ["records", "sequences", "structures"]


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
    spoilt.refused(65, *words)


@pytest.mark.parametrize("tasks", [{"structure": True}, {"embeddings": True}])
def test_every_tensor_is_checked_whatever_the_task(spoilt, tasks):
    tensors = safetensors.read(spoilt.weights)
    gone = "trunk.structure_module.ipa.linear_q.weight"
    assert gone in tensors
    safetensors.write(spoilt.weights, {name: value for name, value in tensors.items() if name != gone})
    spoilt.keys["tasks"] = tasks
    spoilt.refused(65, "1 missing", gone)


def test_weights_that_are_no_numbers(spoilt):
    tensors = {name: value.copy() for name, value in safetensors.read(spoilt.weights).items()}
    tensors["trunk.blocks.0.tri_mul_out.linear_z.weight"].flat[0] = np.nan
    safetensors.write(spoilt.weights, tensors)
    spoilt.refused(65, "trunk.blocks.0.tri_mul_out.linear_z.weight", "NaN")


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


# What is told of a run

def test_the_summary_counts_what_was_folded(job, tmp_path):
    sequences = proteins(3, 10, 30) + ["ACD:EFG"]
    job.input("in.fasta", fasta(sequences))
    done = job.run("--summary-json", tmp_path / "summary.json")
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "summary.json").read_text())
    positions = sum(map(len, sequences)) - 1 + 25
    assert told["sequences_folded"] == 4 and told["positions_folded"] == positions
    assert 0 < told["seconds_folding"] <= told["seconds_forward"]
    assert told["fold_flops"] > 0 and told["fold_chunk_size"] > 0
    assert told["structures"] == "" and told["structure_files"] == 0
    assert f"4 folded, {positions} positions" in done.stdout
    with job.open() as file:
        seconds = file["records/seconds"][:]
        assert (seconds > 0).all() and seconds.sum() >= 0.99 * told["seconds_folding"]


def test_progress_goes_by_the_cost_of_folding(job):
    job.input("in.fasta", fasta(proteins(5, 10, 40)))
    done = job.run("--progress", "json")
    events = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert events[0]["sequences_done"] == 0 and events[-1]["sequences_done"] == 5
    assert events[-1]["seconds_left"] == 0


# Files of structures

def formats(job, *names):
    job.keys["tasks"]["structure"] |= {"formats": list(names)}
    return job.folder / "out.structures"


@pytest.mark.parametrize("names", [["pdb"], ["cif"], ["pdb", "cif"]])
def test_files_are_written_for_every_record(job, names, tmp_path):
    folder = formats(job, *names)
    job.input("in.fasta", fasta(["ACDEF", "MDDG:CFP", "ACDEF"], ["one", "sp|P1/2|A", "again"]))
    job.compute("--summary-json", tmp_path / "summary.json").close()
    assert job.left() == ["out.h5", "out.structures"]
    rows = [line.split("\t") for line in (folder / "index.tsv").read_text().splitlines()]
    files = sorted(path.name for path in folder.iterdir() if path.name != "index.tsv")
    assert len(files) == 3 * len(names) == json.loads((tmp_path / "summary.json").read_text())["structure_files"]
    assert {file.rsplit(".", 1)[1] for file in files} == set(names)
    assert {"one", "sp|P1/2|A", "again"} <= {cell for row in rows for cell in row}
    for file in files:
        assert (folder / file).stat().st_size > 500


def test_files_and_the_export_are_the_same(job, tmp_path):
    folder = formats(job, "pdb", "cif")
    job.input("in.fasta", fasta(["ACDEFXG", "MDDG:CFP"]))
    job.compute().close()
    for name in ("pdb", "cif"):
        exported = tmp_path / name
        subprocess.run([PLEAT, "export", job.output, "--format", name, "--output", exported], check=True)
        found = {path.name: path.read_bytes() for path in exported.iterdir() if path.suffix == f".{name}"}
        assert len(found) == 2
        for file, data in found.items():
            assert (folder / file).read_bytes() == data


def test_a_structure_without_atoms_has_no_file_and_a_note(job):
    folder = formats(job, "pdb")
    job.input("in.fasta", fasta(["XXXX", "ACDE"], ["nothing", "sound"]))
    done = job.run()
    assert done.returncode == 0, done.stderr
    assert "1 record with no_structure_file" in done.stderr
    with job.open() as file:
        assert records(file)["nothing"][:2] == ("ok", "no_structure_file")
        assert records(file)["sound"] == ("ok", "", "")
    assert len(list(folder.glob("*.pdb"))) == 1


def test_a_refused_run_leaves_no_folder_and_an_older_one_as_it_was(job):
    folder = formats(job, "pdb")
    job.input("in.fasta", ">a\nACDE\n")
    folder.mkdir()
    (folder / "mine.txt").write_text("precious")
    job.placed.add(folder.name)
    for arguments in ((), ("--overwrite",)):
        done = job.run(*arguments)
        assert done.returncode == 73, done.stderr
        assert job.left() == [] and (folder / "mine.txt").read_text() == "precious"
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]


def test_overwrite_replaces_an_older_folder(job):
    folder = formats(job, "pdb")
    job.input("in.fasta", ">old\nACDE\n")
    job.compute().close()
    job.input("in.fasta", ">new\nACDE\n")
    assert job.run().returncode == 73
    assert [path.stem for path in folder.glob("*.pdb")] == ["old"]
    job.compute("--overwrite").close()
    assert [path.stem for path in folder.glob("*.pdb")] == ["new"]
    assert job.left() == ["out.h5", "out.structures"]
