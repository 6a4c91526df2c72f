"""A signal or the end of --max-time, whatever the program is at: it ends soon, with the status that says so."""

import signal
import subprocess
import threading
import time

import hub_server
import pytest
from hub_fixtures import environment, hub, storage  # noqa: F401
from job import PLEAT

SOON = 5  # seconds


def end_of(process, number):
    sent = time.monotonic()
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert time.monotonic() - sent < SOON, stderr
    return process.returncode, stderr


def until_it_waits(process):
    """Until it is at what nobody else will ever end."""
    time.sleep(2)
    assert process.poll() is None, process.stderr.read()


@pytest.fixture
def silent(job):
    """A run that reads from a pipe into which nobody writes."""
    job.keys["inputs"] = ["-"]
    return job


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_inputs_are_read(silent, number):
    with silent.start(stdin=subprocess.PIPE) as process:
        until_it_waits(process)
        status, stderr = end_of(process, number)
    assert status == 128 + number, stderr
    assert silent.left() == []


def test_the_end_of_time_while_inputs_are_read(silent):
    start = time.monotonic()
    with silent.start("--max-time", "7s", stdin=subprocess.PIPE) as process:
        assert process.wait(timeout=60) == 75
        assert "the time of --max-time is over" in process.stderr.read()
    assert time.monotonic() - start < 7 + SOON
    assert silent.left() == []


def test_a_signal_while_a_model_is_fetched(environment, hub, tmp_path):  # noqa: F811
    """The server takes the question and never answers."""
    silence = threading.Event()

    class Silent(hub_server.Handler):
        def answer(self, method, owner):
            silence.wait()

    server = hub_server.Server(Silent)
    try:
        command = [PLEAT, "model", "fetch", "esm2_t6_8M_UR50D", "--output", str(tmp_path / "model")]
        with subprocess.Popen(command, env={**environment, "HF_ENDPOINT": server.url}, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            until_it_waits(process)
            status, stderr = end_of(process, signal.SIGTERM)
        assert status == 128 + signal.SIGTERM, stderr
        assert "stopped by signal 15" in stderr
    finally:
        silence.set()
        server.close()
