"""pleat plan: what a run would do, and that the run then does it."""

import json
import shutil

import h5py
import pytest
from job import REPOSITORY, Job, fasta, proteins
from program import pleat_with_peak


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_what_a_run_then_does(job, tmp_path):
    job.input("in.fasta", fasta(proteins(50)) + ">bad\nAC-D\n>odd\nACJ\n>again\nACJ\n>long\n" + "A" * 300 + "\n>none\n\n")
    job.keys["policy"] = {"max_length": 200, "fail_on": "none"}
    found = job.plan()
    assert (found["records"], found["sequences"]) == (55, 51)
    assert found["rejected"] == {"bad_residue": 1, "empty_sequence": 1, "too_long": 1}
    assert found["noted"] == {"residues_converted": 2}
    assert not job.output.exists() and job.left() == []
    job.compute("--summary-json", tmp_path / "summary.json").close()
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["records"], summary["rejected"]) == (55, 3)
    assert (summary["sequences"], summary["residues"]) == (found["sequences"], found["residues"])
    with job.open() as file:
        stored = 0

        def add(path, item):
            nonlocal stored
            if isinstance(item, h5py.Dataset) and path.startswith("embeddings"):
                stored += item.size * item.dtype.itemsize

        file.visititems(add)
    assert found["result_bytes"] == stored


def test_folding_says_what_each_chunk_needs(tmp_path):
    (tmp_path / "job").mkdir()
    job = Job(tmp_path / "job", REPOSITORY / "tests/data/esmfold/wide_pair")
    job.input("in.fasta", fasta(proteins(5)))
    job.keys["tasks"] = {"structure": True}
    chunks = job.plan()["chunks"]
    assert len(chunks) >= 2 and [chunk["chosen"] for chunk in chunks].count(True) == 1
    assert chunks == sorted(chunks, key=lambda chunk: -chunk["bytes"])
    assert chunks == sorted(chunks, key=lambda chunk: chunk["longest"])
    text = job.pleat("plan", job.manifest()).stdout
    assert "-> chunk" in text and "residues\n" in text


def test_what_does_not_fit(job):
    job.input("in.fasta", fasta(proteins(3)) + ">giant\n" + "A" * 1_000_000 + "\n")  # 28 TB for its contacts
    job.keys["tasks"] = {"contacts": True}
    found = job.plan()
    assert (found["sequences"], found["too_long"]) == (3, 1)
    assert 0 < found["longest_that_fits"] < 1_000_000
    assert "WILL NOT FIT 1 unique sequence" in job.pleat("plan", job.manifest()).stdout


def test_shards_and_devices(job):
    job.input("in.fasta", fasta(proteins(400, 20, 400)))
    shards = [job.plan("--shard", f"{index}/4")["shard"] for index in (1, 2, 3, 4)]
    assert sum(shard["flops"] for shard in shards) == pytest.approx(job.plan()["flops"])
    assert shards[0]["spread"] < 0.03
    one, four = job.plan(), job.plan("--devices", "cpu*4")
    assert four["devices"] == 4 and four["batches"] >= max(32, one["batches"])


def test_a_shard_is_divided_as_a_run_divides_it(job):
    """Also where a sequence does not fit into this machine: that depends on the machine, and the division must not."""
    job.input("in.fasta", fasta(proteins(40, 20, 400)) + ">giant\n" + "A" * 1_000_000 + "\n")
    job.keys["tasks"] = {"contacts": True}
    shards = [job.plan("--shard", f"{index}/2")["shard"]["flops"] for index in (1, 2)]
    assert min(shards) == 0 and max(shards) == pytest.approx(job.plan()["flops"])


def test_what_the_disk_cannot_hold(job):
    job.input("in.fasta", fasta(proteins(3)))
    found = job.plan()
    assert found["fits_disk"] and 0 < found["free_disk_bytes"] == pytest.approx(
        shutil.disk_usage(job.folder).free, rel=0.1
    )
    assert "WILL NOT FIT" not in job.pleat("plan", job.manifest()).stdout
    # A terabyte of contacts.
    job.input("in.fasta", fasta(["A" * 10_000], ["large"]) * 5_000)
    job.keys |= {"tasks": {"contacts": True}, "policy": {"duplicates": "separate"}}
    found = job.plan()
    assert found["too_long"] == 0 and not found["fits_disk"]
    text = job.pleat("plan", job.manifest()).stdout
    assert "WILL NOT FIT the disk" in text


def test_bench_device_makes_the_time_a_measured_one(job):
    job.input("in.fasta", fasta(proteins(50)))
    assert "a guess" in job.plan()["seconds_basis"]
    done = job.pleat("bench-device", job.manifest())
    assert done.returncode == 0 and "GFLOP/s" in done.stdout, done.stderr
    assert "measured by pleat bench-device" in job.plan()["seconds_basis"]
    job.keys["run"] = {"precision": "fp32"}
    assert "measured" in job.plan()["seconds_basis"]  # what auto is on a processor
    job.keys["run"] = {"precision": "fp32", "devices": "cpu*2"}
    assert "a guess" in job.plan()["seconds_basis"]


def test_plan_and_run_tell_what_bfloat16_would_be_worth(job):
    job.input("in.fasta", fasta(proteins(5)))
    assert "bfloat16_speedup" not in job.plan()
    measured = job.pleat("bench-device", job.manifest()).stdout
    assert measured.count("GFLOP/s") == 2 and "run.precision: bf16 would" in measured
    assert job.plan()["bfloat16_speedup"] > 0
    assert "run.precision: bf16 would" in job.pleat("plan", job.manifest()).stdout
    assert "run.precision: bf16 would" in job.run().stderr
    job.keys["run"] = {"precision": "bf16"}
    assert "bfloat16_speedup" not in job.plan()
    assert "measured" in job.plan()["seconds_basis"]


def test_a_measurement_that_cannot_be_kept_is_still_told(job, monkeypatch):
    job.input("in.fasta", ">a\nACD\n")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "")
    done = job.pleat("bench-device", job.manifest())
    assert done.returncode == 0 and "GFLOP/s" in done.stdout and "could not be kept" in done.stderr


@pytest.mark.memory
def test_many_sequences_in_little_memory(job):
    """A million take about 200 MB; of them 130 MB are the program itself."""
    job.input("in.fasta", fasta(proteins(100_000, 30, 60)))
    printed, peak = pleat_with_peak("plan", job.manifest(), "--json")
    assert json.loads(printed)["records"] == 100_000
    assert peak < 220e6


@pytest.mark.parametrize("change", [{"model": "nowhere"}, {"inputs": ["nowhere.fasta"]}, {"tasks": {"structure": True}}])
def test_what_a_run_would_refuse(job, change):
    job.input("in.fasta", ">a\nACD\n")
    job.keys |= change
    done = job.pleat("plan", job.manifest())
    assert done.returncode == job.run().returncode != 0
    assert done.stdout == "" and "error: " in done.stderr
