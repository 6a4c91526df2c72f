"""A disk that fills up while a run writes: exit 75 at whatever byte it happens, nothing half-written, nothing lost."""

import os
import resource
import subprocess

import pytest
from job import assert_same_numbers, fasta, numbers, proteins

LIMITS = [0, 1, 4_000, 20_000, 60_000, 150_000]  # bytes a file may have


def with_file_limit(limit):
    def before():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return before


@pytest.fixture
def large(job):
    """Segments of about 430 kB, a result file of about 400 kB."""
    job.input("in.fasta", fasta(proteins(30)))
    job.keys["tasks"] = {"embeddings": {"dtype": "float32"}}
    return job


@pytest.mark.parametrize("limit", LIMITS)
def test_with_room_again_the_same_command_goes_on(large, limit):
    with large.compute() as file:
        undisturbed = numbers(file)
    large.output.unlink()
    large.refused(75, "ulimit -f", preexec_fn=with_file_limit(limit), keeps=True)
    with large.compute() as file:
        assert large.left() == ["out.h5"]
        assert_same_numbers(numbers(file), undisturbed)


@pytest.mark.parametrize("limit", LIMITS)
def test_an_older_file_stays_as_it_was(large, limit):
    large.output.write_bytes(b"precious" * 10_000)
    large.refused(75, "ulimit -f", arguments=("--overwrite",), preexec_fn=with_file_limit(limit), keeps=True)


@pytest.mark.parametrize("limit", [3_000, 5_000, 10_000, 15_000])
def test_the_file_itself_is_what_does_not_fit(job, limit):
    """Two residues make small segments; the tables of the file are larger. Nothing is computed a second time."""
    job.input("in.fasta", ">a\nAC\n")
    job.refused(75, "out.h5.partial", "ulimit -f", preexec_fn=with_file_limit(limit), keeps=True)
    done = job.run()
    assert done.returncode == 0 and "1 of 1 sequences are done" in done.stderr, done.stderr


def test_a_full_work_folder_is_not_the_output_s(large, tmp_path):
    large.refused(75, tmp_path / "work", arguments=("--work-dir", tmp_path / "work"), preexec_fn=with_file_limit(400))
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("size", ["256k", "600k"], ids=["too small for the segments", "too small for the file too"])
def test_full_tmpfs(large, size):
    """A real full disk, where the machine lets us mount one; the limits above test the same everywhere."""
    folder = large.folder / "disk"
    folder.mkdir()
    large.placed.add("disk")
    large.keys["output"] = "disk/out.h5"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)], capture_output=True)
    try:
        if mounted.returncode == 0:
            large.output = folder / "out.h5"
            large.output.write_text("precious")
            done = large.run("--overwrite")
            assert done.returncode == 75, done.stderr
            assert "before they are compressed" in done.stderr and "loaded" not in done.stderr and "make room" in done.stderr
            assert sorted(set(os.listdir(folder)) - {"out.h5.work"}) == ["out.h5"] and large.output.read_text() == "precious"
        else:
            large.refused(75, preexec_fn=with_file_limit(256 * 1024), keeps=True)
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", str(folder)], check=True)
