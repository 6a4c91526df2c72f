"""Runs divided into shards, and their files merged: what one run over everything would have written."""

import signal
import subprocess
import time

import pytest
import tiny_model
from job import PLEAT, REPOSITORY, Job, contents, fasta, proteins, records

PROTEINS = proteins(60, 5, 150)
NAMES = [f"p{i}" for i in range(60)]
# Refused ones, doubles, and a name that comes twice.
ODD = ">bad\nAC-D\n>double\n" + PROTEINS[7] + "\n>p3\n" + PROTEINS[8] + "\n>chains\nACD:EFG\n>empty\n\n"


def shard_files(job, count, *arguments):
    files = []
    for index in range(1, count + 1):
        done = job.run("--shard", f"{index}/{count}", *arguments)
        assert done.returncode == 0, done.stderr
        files.append(job.folder / f"out.shard-{index}-of-{count}.h5")
    return files


def merge(job, files, *arguments, output="merged.h5"):
    return job.pleat("merge", *files, "-o", job.folder / output, *arguments)


def merged_contents(job, name="merged.h5"):
    job.output = job.folder / name
    with job.open() as file:
        return contents(file)


@pytest.fixture
def embedding(job):
    job.input("in.fasta", fasta(PROTEINS, NAMES) + ODD)
    job.keys["policy"] = {"fail_on": "none"}
    job.keys["tasks"] = {"embeddings": {"layers": [0, -1], "bos": True}, "logits": True, "contacts": True}
    return job


@pytest.mark.parametrize("count", [1, 3, 7])
def test_merged_is_unsharded(embedding, count):
    with embedding.compute() as file:
        expected = contents(file)
    files = shard_files(embedding, count)
    done = merge(embedding, reversed(files))
    assert done.returncode == 0, done.stderr
    assert merged_contents(embedding) == expected


def test_folded_too(tmp_path):
    (tmp_path / "job").mkdir()
    job = Job(tmp_path / "job", REPOSITORY / "tests/data/esmfold/wide_pair")
    job.input("in.fasta", fasta(proteins(7, 5, 30)) + ">c\nACDE:FGH\n")
    job.keys["tasks"] = {"structure": {"num_recycles": 0}}
    with job.compute() as file:
        expected = contents(file)
    files = shard_files(job, 3)
    assert merge(job, files).returncode == 0
    assert merged_contents(job) == expected


def test_merging_twice_gives_the_same_bytes(embedding):
    files = shard_files(embedding, 2)
    assert merge(embedding, files).returncode == 0
    first = (embedding.folder / "merged.h5").read_bytes()
    # As a job does that is tried again.
    again = merge(embedding, files)
    assert again.returncode == 0 and "this very file was there already" in again.stdout
    assert merge(embedding, reversed(files), "--overwrite").returncode == 0
    assert (embedding.folder / "merged.h5").read_bytes() == first


def test_merge_writes_over_no_other_file(embedding):
    files = shard_files(embedding, 2)
    merged = embedding.folder / "merged.h5"
    assert merge(embedding, files).returncode == 0
    whole = merged.read_bytes()
    for other in (b"a note", whole[:-1] + bytes([whole[-1] ^ 1]), files[0].read_bytes()):
        merged.write_bytes(other)
        done = merge(embedding, files)
        assert done.returncode == 73 and "--overwrite" in done.stderr, done.stderr
        assert merged.read_bytes() == other
    # Of the same run, with a shard that is missing here.
    merged.write_bytes(whole)
    assert merge(embedding, files[:1], "--allow-missing").returncode == 73
    assert merged.read_bytes() == whole and not list(embedding.folder.glob("*.partial"))


def test_more_shards_than_sequences(job):
    job.input("in.fasta", ">a\nACD\n>b\nACD\n")
    with job.compute() as file:
        expected = contents(file)
    files = shard_files(job, 3)
    assert merge(job, files).returncode == 0
    assert merged_contents(job) == expected


def test_one_sequence_as_long_as_titin_alone(job):
    """34,350 residues, one record and more shards than there is work for."""
    job.keys["model"] = str(tiny_model.make(job.folder.parent / "tiny", width=8, layers=1, heads=1))
    job.input("in.fasta", fasta(proteins(1, 34_350, 34_350), ["titin"]))
    with job.compute() as file:
        expected = contents(file)
        assert records(file) == {"titin": ("ok", "", "")}
        assert list(file["sequences/offsets"]) == [0, 34_350]
    done = merge(job, shard_files(job, 2))
    assert done.returncode == 0, done.stderr
    assert merged_contents(job) == expected


def test_missing_and_doubled_shards(embedding):
    files = shard_files(embedding, 4)
    done = merge(embedding, [files[0], files[2]])
    assert done.returncode == 65 and "2 of 4 shards missing: 2, 4" in done.stderr
    done = merge(embedding, [*files, files[1]])
    assert done.returncode == 65 and "are both shard 2 of 4" in done.stderr
    assert not (embedding.folder / "merged.h5").exists()
    done = merge(embedding, [files[0], files[2]], "--allow-missing")
    assert done.returncode == 0 and "lacks the records of 2 shards: 2, 4" in done.stderr
    shown = embedding.pleat("inspect", embedding.folder / "merged.h5")
    assert "shards are missing: 2, 4" in shown.stdout
    embedding.output = embedding.folder / "merged.h5"
    with embedding.open() as file:
        assert list(file.attrs["missing_shards"]) == [2, 4]
        assert len(file["records/id"]) < 65


def test_what_does_not_belong_together(embedding):
    first = shard_files(embedding, 2)[0]
    embedding.keys["tasks"]["logits"] = False
    second = embedding.run("--shard", "2/2", "--overwrite")
    assert second.returncode == 0
    done = merge(embedding, [first, embedding.folder / "out.shard-2-of-2.h5"])
    assert done.returncode == 65 and "they differ in manifest_yaml" in done.stderr
    embedding.keys["tasks"]["logits"] = True
    embedding.input("more.fasta", ">x\nACD\n")
    assert embedding.run("--shard", "2/2", "--overwrite").returncode == 0
    done = merge(embedding, [first, embedding.folder / "out.shard-2-of-2.h5"])
    assert done.returncode == 65 and "they differ in inputs_sha256" in done.stderr


def test_files_that_are_no_shards(embedding):
    with embedding.compute():
        pass
    done = merge(embedding, [embedding.output])
    assert done.returncode == 65 and "is no shard" in done.stderr
    assert merge(embedding, [embedding.folder / "nowhere.h5"]).returncode == 66
    text = embedding.place("text.h5", "no HDF5")
    assert merge(embedding, [text]).returncode == 65


def test_a_damaged_shard_leaves_no_file(embedding):
    files = shard_files(embedding, 2)
    data = bytearray(files[0].read_bytes())
    data[len(data) // 2] ^= 255
    files[0].write_bytes(data)
    done = merge(embedding, files)
    assert done.returncode == 65, done.stderr
    assert not (embedding.folder / "merged.h5").exists()


def slurm(task, first, last, step, count):
    names = ("ID", "MIN", "MAX", "STEP", "COUNT")
    return {f"SLURM_ARRAY_TASK_{name}": str(value) for name, value in zip(names, (task, first, last, step, count))}


def test_slurm_array(job):
    job.input("in.fasta", fasta(PROTEINS))
    done = job.run("--shard", "slurm-array", env=slurm(5, 1, 7, 2, 4))
    assert done.returncode == 0, done.stderr
    assert job.left() == ["out.shard-3-of-4.h5"]
    for env, text in [({}, "SLURM_ARRAY_TASK_ID is not set"), (slurm(4, 1, 9, 4, 3), "gaps")]:
        refused = job.run("--shard", "slurm-array", env=env)
        assert refused.returncode == 64 and text in refused.stderr, refused.stderr


def test_the_variables_mean_nothing_otherwise(job):
    job.input("in.fasta", fasta(PROTEINS))
    with job.compute(env=slurm(5, 1, 7, 2, 4)) as file:
        assert len(file["records/id"]) == 60


def test_bad_shards(job):
    job.input("in.fasta", ">a\nACD\n")
    for text in ("0/4", "5/4", "4", "a/b"):
        job.refused(64, f"'{text}' is no shard", arguments=("--shard", text))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_merge_leaves_nothing_and_can_be_repeated(job, number):
    job.input("in.fasta", fasta(proteins(80, 400, 500)))
    job.keys["tasks"] = {"embeddings": {"dtype": "float32"}, "contacts": True}
    files = shard_files(job, 2)
    merged = job.folder / "merged.h5"
    process = subprocess.Popen([PLEAT, "merge", *files, "-o", merged], stderr=subprocess.PIPE, text=True)
    partial = job.folder / "merged.h5.partial"
    while not partial.exists() and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 128 + number, stderr
    assert len(stderr.splitlines()) == 1 and f"stopped by signal {int(number)}" in stderr
    assert not merged.exists() and not partial.exists()
    assert merge(job, files).returncode == 0


@pytest.mark.parametrize("output", ["results", "./results", "v1.2/results", "bin.1.h5"])
def test_parts_are_named_after_the_output_and_found_again(job, output):
    job.input("in.fasta", ">a\nMKTAY\n>b\nGGGGSS\n")
    with job.compute() as file:
        expected = contents(file)
    (job.folder / "v1.2").mkdir()
    for index in (1, 2):
        done = job.run("--shard", f"{index}/2", "--output", output, "--overwrite", cwd=job.folder)
        assert done.returncode == 0, done.stderr
    folder, stem = (job.folder / output).parent, (job.folder / output).name
    parts = [path.name for path in folder.glob("*.shard-*")]
    assert len(parts) == 2 and all("shard-" in name for name in parts), parts
    done = subprocess.run([PLEAT, "merge", "--shards", "2", "--output", output], cwd=job.folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert merged_contents(job, job.folder / output) == expected and stem


def test_a_part_that_has_its_name_keeps_it(job):
    job.input("in.fasta", ">a\nMKTAY\n>b\nGGGGSS\n")
    name = "x.shard-1-of-2.h5"
    assert job.run("--shard", "1/2", "--output", job.folder / name).returncode == 0
    assert job.left() == [name]


def test_merge_by_number_says_what_is_missing(job):
    job.input("in.fasta", ">a\nMKTAY\n>b\nGGGGSS\n")
    done = job.pleat("merge", "--shards", 2, "--output", job.folder / "x.h5")
    assert done.returncode == 66 and "x.shard-1-of-2.h5" in done.stderr
    assert job.run("--shard", "2/2", "--output", job.folder / "x.h5").returncode == 0
    done = job.pleat("merge", "--shards", 2, "--output", job.folder / "x.h5")
    assert done.returncode == 65 and "1 of 2 shards missing: 1" in done.stderr
    assert job.pleat("merge", "--output", job.folder / "x.h5").returncode == 64
    assert job.pleat("merge", "a.h5", "--shards", 2, "--output", job.folder / "x.h5").returncode == 64
