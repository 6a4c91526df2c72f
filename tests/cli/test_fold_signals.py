"""Signals while a sequence is folded."""

import json
import signal
import time

import pytest
from job import REPOSITORY, Job, fasta, proteins


@pytest.fixture
def endless(tmp_path):
    """One sequence whose folding takes many minutes, and nothing else."""
    (tmp_path / "job").mkdir()
    job = Job(tmp_path / "job", REPOSITORY / "tests/data/esmfold/wide_pair")
    job.input("in.fasta", fasta(proteins(1, 900, 900)))
    job.keys["tasks"] = {"structure": {"num_recycles": 100, "formats": ["pdb"]}}
    return job


def until_it_computes(process):
    for line in process.stderr:
        if line.startswith("{") and json.loads(line)["sequences_done"] == 0:
            time.sleep(2)
            assert process.poll() is None
            return
    raise AssertionError("the run ended before its first batch")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_folding_soon_and_clean(endless, number):
    with endless.start("--progress", "json") as process:
        until_it_computes(process)
        assert "out.h5.partial" in endless.left() and "out.structures.partial" in endless.left()
        sent = time.monotonic()
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 128 + number, stderr
    assert time.monotonic() - sent < 10
    assert stdout == "" and f"stopped by signal {int(number)}" in stderr
    assert endless.left() == ["out.h5.work"]  # which knows what was under way: the next run puts it last


def test_after_a_kill_the_next_run_cleans_up(endless):
    with endless.start("--progress", "json") as process:
        until_it_computes(process)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    endless.input("in.fasta", ">a\nACD\n")
    endless.keys["tasks"]["structure"]["num_recycles"] = 0
    endless.compute().close()
    assert endless.left() == ["out.h5", "out.structures"]
