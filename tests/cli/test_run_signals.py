"""Signals during a run: it ends soon, and what is done is kept."""

import json
import re
import signal
import time
from itertools import islice

import pytest
from job import fasta, proteins


@pytest.fixture
def endless(job):
    """Minutes of work, with segments on disk from the first second on."""
    job.input("in.fasta", fasta(proteins(3000, 1000, 1500)))
    job.keys["tasks"] = {"embeddings": True, "contacts": True}
    return job


def until_results_come(process):
    for line in process.stderr:
        if line.startswith("{") and json.loads(line)["sequences_done"] > 0:
            return
    raise AssertionError("the run ended before its first result")


def stop(process, number):
    """Sends a signal; returns the exit status, the rest of stderr and how long the end took."""
    sent = time.monotonic()
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    assert stdout == ""
    return process.returncode, stderr, time.monotonic() - sent


SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_a_run_soon_and_keeps_what_is_done(endless, number):
    with endless.start("--progress", "json") as process:
        until_results_come(process)
        assert endless.left() == ["out.h5.partial", "out.h5.work"]
        status, stderr, seconds = stop(process, number)
    assert status == 128 + number, stderr
    assert seconds < 10
    assert f"stopped by signal {int(number)}" in stderr and "no file was left half-written" in stderr
    assert "sequences are done and kept in" in stderr and "the same command resumes it" in stderr
    assert ("residues/s" in stderr) == (number == signal.SIGUSR1)
    assert endless.left() == ["out.h5.work"]
    with endless.start("--progress", "json") as process:
        stderr = process.stderr.readline() + process.stderr.readline()
        assert " of 3000 sequences are done" in stderr
        stop(process, signal.SIGKILL)


def test_a_second_signal_ends_it_at_once_and_a_later_run_goes_on(endless):
    with endless.start("--progress", "json") as process:
        until_results_come(process)
        process.send_signal(signal.SIGINT)
        status, _, seconds = stop(process, signal.SIGINT)
    assert status in (-signal.SIGINT, 130) and seconds < 3
    assert "out.h5.work" in endless.left()
    with endless.start() as process:
        assert re.search(r"earlier run: [1-9]\d* of 3000 sequences are done", "".join(islice(process.stderr, 2)))
        stop(process, signal.SIGKILL)


def test_max_time_ends_a_run_and_the_same_command_goes_on(endless):
    begin = time.monotonic()
    done = endless.run("--max-time", "10s")
    assert done.returncode == 75 and time.monotonic() - begin < 20
    assert "the time of --max-time is over" in done.stderr and "hint: run the same command again" in done.stderr
    assert "sequences are done and kept in" in done.stderr
    assert endless.left() == ["out.h5.work"]
    with endless.start("--max-time", "1h") as process:
        assert re.search(r"earlier run: [1-9]\d* of 3000 sequences are done", "".join(islice(process.stderr, 2)))
        stop(process, signal.SIGKILL)


@pytest.mark.parametrize("text", ["0", "soon", "-5m", "3h55", "5m3h"])
def test_times_that_are_none(job, text):
    job.input("in.fasta", ">a\nACD\n")
    job.refused(64, "is no length of time", arguments=("--max-time", text))


def test_a_signal_leaves_an_older_file_and_a_work_folder_of_the_user_alone(endless, tmp_path):
    endless.output.write_text("precious")
    work = tmp_path / "work"
    work.mkdir()
    (work / "mine").write_text("x")
    with endless.start("--progress", "json", "--overwrite", "--work-dir", work) as process:
        until_results_come(process)
        status, _, _ = stop(process, signal.SIGTERM)
    assert status == 143
    assert endless.left() == ["out.h5"] and endless.output.read_text() == "precious"
    assert sorted(path.name for path in work.iterdir()) == ["mine", "pleat-journal.jsonl", "pleat-segment-0000.bin"]


def test_a_signal_before_the_first_batch(endless):
    """Also while inputs are read and weights loaded, nothing is left behind but results."""
    for delay in (0.0, 0.05, 0.1, 0.2, 0.4):
        with endless.start() as process:
            time.sleep(delay)
            status, stderr, seconds = stop(process, signal.SIGTERM)
        assert status in (143, -signal.SIGTERM), stderr  # the latter before pleat listens to signals
        assert seconds < 10 and endless.left() in ([], ["out.h5.work"])


def test_after_a_kill_another_run_is_refused_unless_told_to_restart(endless):
    with endless.start("--progress", "json") as process:
        until_results_come(process)
        assert stop(process, signal.SIGKILL)[0] == -signal.SIGKILL
    assert endless.left() == ["out.h5.partial", "out.h5.work"]
    endless.input("in.fasta", ">a\nACD\n")
    done = endless.run()
    assert done.returncode == 73 and "the inputs hold other records" in done.stderr and "--restart" in done.stderr
    with endless.compute("--restart") as file:
        assert file.attrs["complete"] == 1
    assert endless.left() == ["out.h5"]


def test_two_runs_do_not_share_an_output(endless):
    with endless.start("--progress", "json") as process:
        until_results_come(process)
        other = endless.run()
        assert other.returncode == 73 and "in use by process " in other.stderr
        assert endless.left() == ["out.h5.partial", "out.h5.work"]
        assert stop(process, signal.SIGTERM)[0] == 143
    assert endless.left() == ["out.h5.work"]


def test_a_reader_that_goes_away_is_no_reason_to_die(job):
    job.input("in.fasta", ">a\nACD\n")
    with job.start() as process:
        process.stderr.close()
        process.stdout.close()
        assert process.wait(timeout=60) in (0, 74)
    with job.open() as file:
        assert file.attrs["complete"] == 1
