"""`pleat run --cache`: the same file, without computing what another run has computed."""

import json
import resource

import pytest
from job import REPOSITORY, Job, contents, fasta, proteins, texts

PROTEINS = proteins(40, 5, 90)


@pytest.fixture
def embedding(job):
    job.input("in.fasta", fasta(PROTEINS))
    job.keys["tasks"] = {"embeddings": {"layers": [0, -1], "bos": True}, "logits": True, "contacts": True}
    return job


def cached_run(job, *arguments, **options):
    """What the file holds, the summary, and how many records are from the cache."""
    with job.compute(
        "--cache", job.folder / "cache", "--overwrite", "--summary-json", job.folder / "s.json", *arguments, **options
    ) as file:
        from_cache = texts(file["records/device"]).count("cache")
        return contents(file), json.loads((job.folder / "s.json").read_text()), from_cache


def entries(job):
    return sorted((job.folder / "cache").rglob("*.pleat"))


def test_second_run_computes_nothing(embedding):
    with embedding.compute() as file:
        plain = contents(file)
    first, summary, from_cache = cached_run(embedding)
    assert first == plain
    assert (summary["cached_sequences"], summary["sequences"], from_cache) == (0, 40, 0)
    assert len(entries(embedding)) == 40
    second, summary, from_cache = cached_run(embedding)
    assert second == plain
    assert (summary["cached_sequences"], summary["sequences"], from_cache) == (40, 0, 40)
    assert embedding.pleat("verify", embedding.output).returncode == 0


def test_other_inputs_share_what_is_the_same(embedding):
    cached_run(embedding)
    embedding.input("in.fasta", fasta(PROTEINS[30:] + proteins(5, 10, 20, seed=1) + PROTEINS[:3]))
    embedding.keys |= {"policy": {"duplicates": "separate"}, "run": {"devices": "cpu*2"}}
    with embedding.compute("--overwrite") as file:
        plain = contents(file)
    found, summary, _ = cached_run(embedding)
    assert found == plain
    assert (summary["cached_sequences"], summary["sequences"]) == (13, 5)


def test_another_task_precision_or_model_is_computed(embedding):
    cached_run(embedding)
    for key, value in (("tasks.contacts", "false"), ("tasks.embeddings.dtype", "float32"), ("run.precision", "bf16")):
        assert cached_run(embedding, "--set", f"{key}={value}")[2] == 0
    embedding.keys["model"] = str(REPOSITORY / "tests/data/esm2/head64")
    assert cached_run(embedding)[2] == 0


def test_damaged_results_are_computed_again(embedding):
    plain = cached_run(embedding)[0]
    damaged, cut, empty = entries(embedding)[:3]
    data = bytearray(damaged.read_bytes())
    data[len(data) // 2] ^= 1
    damaged.write_bytes(data)
    cut.write_bytes(cut.read_bytes()[:-1])
    empty.write_bytes(b"")
    done = embedding.run("--cache", embedding.folder / "cache", "--overwrite")
    assert done.returncode == 0
    assert "3 results in the cache were damaged, and computed again" in done.stderr
    found, summary, _ = cached_run(embedding)
    assert found == plain
    assert summary["cached_sequences"] == 40


def test_two_runs_at_once(embedding, tmp_path):
    others = [Job(tmp_path / name) for name in ("one", "two", "three")]
    processes = []
    for job in others:
        job.folder.mkdir()
        job.keys |= embedding.keys
        job.input("in.fasta", fasta(PROTEINS))
        processes.append(job.start("--cache", embedding.folder / "cache", "--overwrite"))
    for process in processes:
        _, stderr = process.communicate()
        assert process.returncode == 0, stderr
        assert "cache lacks" not in stderr and "damaged" not in stderr
    assert len(entries(embedding)) == 40
    found = []
    for job in others:
        with job.open() as file:
            found.append(contents(file))
    assert found[0] == found[1] == found[2] == cached_run(embedding)[0]


def test_structures_with_their_files(tmp_path):
    (tmp_path / "job").mkdir()
    job = Job(tmp_path / "job", REPOSITORY / "tests/data/esmfold/wide_pair")
    job.input("in.fasta", fasta(proteins(5, 5, 30)) + ">c\nACDE:FGH\n")
    job.keys["tasks"] = {"structure": {"num_recycles": 0, "pae": True, "formats": ["pdb", "cif"]}}
    with job.compute() as file:
        plain = contents(file)
    files = {path.name: path.read_bytes() for path in (job.folder / "out.structures").iterdir()}
    for expected in (0, 6):
        found, _, from_cache = cached_run(job)
        assert (found, from_cache) == (plain, expected)
        again = {path.name: path.read_bytes() for path in (job.folder / "out.structures").iterdir()}
        assert again.keys() == files.keys()
        for name in files:
            if name.endswith(".pdb"):
                atoms = [line for line in files[name].splitlines() if line.startswith(b"ATOM")]
                assert atoms == [line for line in again[name].splitlines() if line.startswith(b"ATOM")]
                assert len(atoms) > 0


def test_a_run_that_goes_on_uses_it_too(embedding):
    """The work folder holds what one run computed, the cache what another one did."""
    plain = cached_run(embedding)[0]
    for entry in entries(embedding)[::2]:
        entry.unlink()
    full = embedding.run(
        "--cache", embedding.folder / "cache", "--overwrite", "--devices", "cpu", preexec_fn=limited_to(40_000)
    )
    assert full.returncode == 75, full.stderr
    found, summary, _ = cached_run(embedding)
    assert found == plain
    assert summary["earlier_sequences"] > 0


def limited_to(size):
    """As a disk that is full at a file of that size."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


def test_bad_folders(embedding):
    embedding.place("file", "")
    embedding.refused(73, "cache", embedding.folder / "file", arguments=("--cache", embedding.folder / "file"))
    below = embedding.folder / "file" / "cache"
    embedding.refused(73, below, arguments=("--cache", below))
    assert embedding.run("--cache").returncode == 64


def test_a_cache_that_cannot_be_written_is_read(embedding):
    plain = cached_run(embedding)[0]
    removed = entries(embedding)[0]
    removed.unlink()
    # Files in the place of what would be written: also root cannot write them.
    tmp = embedding.folder / "cache" / "tmp"
    tmp.rmdir()
    tmp.write_text("")
    done = embedding.run("--cache", embedding.folder / "cache", "--overwrite")
    assert done.returncode == 0
    assert "39 of 40 sequences were in the cache" in done.stderr
    assert "the cache lacks 1 result of this run: cannot create" in done.stderr
    with embedding.open() as file:
        assert contents(file) == plain
