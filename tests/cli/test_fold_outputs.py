"""What a folding run tells, and the files of structures that it writes beside the results."""

import json
import subprocess

import h5py
import numpy as np
import pytest
from folding import fold_job
from job import PLEAT, REPOSITORY, fasta, proteins, records, structures


@pytest.fixture
def job(tmp_path):
    return fold_job(tmp_path)


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


def test_the_demo_folds(tmp_path):
    manifest = REPOSITORY / "configs/demo/fold.yaml"
    done = subprocess.run([PLEAT, "run", manifest, "--output", tmp_path / "demo.h5"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "UNTRAINED" in done.stdout
    with h5py.File(tmp_path / "demo.h5", "r") as file:
        found = structures(file)
        assert all(status == "ok" for status, _, _ in records(file).values())
    assert len(found) >= 2
    for arrays in found.values():
        assert np.isfinite(arrays["positions"]).all() and arrays["atom_mask"].any()


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
