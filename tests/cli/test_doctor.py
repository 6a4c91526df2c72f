"""pleat doctor: what it finds on this machine, and on machines that lack something."""

import json
import os
import subprocess

import pytest
from program import PLEAT, pleat

SUBJECTS = ["program", "libraries", "processor", "threads", "memory", "devices", "gpu", "models", "temporary", "working"]


def doctor(*arguments, **options):
    return pleat("doctor", *arguments, **options)


def findings(*arguments, status=0, **options):
    done = doctor("--json", *arguments, **options)
    assert done.returncode == status, done.stderr
    found = json.loads(done.stdout)
    assert found["exit_status"] == status
    assert [finding["subject"] for finding in found["findings"]] == SUBJECTS
    for finding in found["findings"]:
        assert (finding["health"] == "good") == (finding["advice"] == "")
        assert "\n" not in finding["advice"]
    return {finding["subject"]: finding for finding in found["findings"]}


def test_this_machine(tmp_path):
    found = findings(cwd=tmp_path)
    assert found["memory"]["health"] == "good"
    assert "LibTorch 2.11" in found["libraries"]["text"]
    assert str(tmp_path) in found["working"]["text"]
    text = doctor(cwd=tmp_path)
    assert text.returncode == 0
    for subject in SUBJECTS:
        assert f"\n{subject} " in "\n" + text.stdout
    assert list(tmp_path.iterdir()) == []


def test_devices_that_are_not_there():
    found = findings("--devices", "cuda", status=69)
    assert found["devices"]["health"] == "fault"
    assert "cpu" in found["devices"]["advice"]
    assert "FAULT" in doctor("--devices", "cuda").stdout


def test_models_that_are_not_mounted(tmp_path):
    empty = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    assert "no such folder" in findings(env=empty | {"PLEAT_MODELS": "/no/models"})["models"]["text"]
    assert "no published model" in findings(env=empty | {"PLEAT_MODELS": str(tmp_path)})["models"]["text"]
    (tmp_path / "esm2_t6_8M_UR50D").mkdir()
    found = findings(env=empty | {"PLEAT_MODELS": str(tmp_path)})["models"]
    assert "whole" in found["text"] and "verify" in found["advice"]


def test_temporary_folder(tmp_path):
    found = findings(env=os.environ | {"TMPDIR": str(tmp_path / "none")})
    assert found["temporary"]["health"] == "warning"


def test_bound_to_one_processor():
    first = str(min(os.sched_getaffinity(0)))
    done = subprocess.run(["taskset", "-c", first, PLEAT, "doctor", "--json"], capture_output=True, text=True)
    threads = next(f for f in json.loads(done.stdout)["findings"] if f["subject"] == "threads")
    assert threads["text"].startswith("1 of ")


@pytest.mark.memory
def test_little_memory():
    done = subprocess.run(
        ["bash", "-c", 'ulimit -v 1200000; exec "$0" doctor --json', PLEAT], capture_output=True, text=True
    )
    assert done.returncode == 75, done.stderr
    memory = next(f for f in json.loads(done.stdout)["findings"] if f["subject"] == "memory")
    assert memory["health"] == "fault" and "raise the memory" in memory["advice"]
