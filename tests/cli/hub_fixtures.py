"""Fixtures and helpers for the tests of `pleat model`: a stand-in hub, an empty cache, the real binary."""

import json
import os
import subprocess

import pytest
from hub_server import COMMIT, Bytes, Hub, safetensors

NAME = "esm2_t6_8M_UR50D"
REPOSITORY = "facebook/" + NAME
CACHED = "models--facebook--" + NAME

CONFIG = json.dumps({"model_type": "esm", "position_embedding_type": "rotary", "vocab_size": 33, "hidden_size": 8,
                     "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}).encode()
WEIGHTS = safetensors({"a": bytes(range(256)) * 8000})  # 2 MB


@pytest.fixture
def storage():
    server = Bytes()
    yield server
    server.close()


@pytest.fixture
def hub(storage):
    server = Hub(storage, {REPOSITORY: {"config.json": CONFIG, "model.safetensors": WEIGHTS}})
    yield server
    server.close()


@pytest.fixture
def environment(hub, tmp_path):
    """The stand-in hub, and an empty cache."""
    variables = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home"), "HF_ENDPOINT": hub.url,
                 "HF_HOME": str(tmp_path / "hf"), "PLEAT_MODELS": str(tmp_path / "models"), "no_proxy": "*"}
    for name in ("LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS"):
        if name in os.environ:
            variables[name] = os.environ[name]
    return variables


@pytest.fixture
def run(environment, tmp_path):
    """Runs `pleat model ...`; keywords are further environment variables."""
    def run_model(*arguments, before=None, **variables):
        return subprocess.run([os.environ["PLEAT"], "model", *arguments], env=environment | variables, cwd=tmp_path,
                              capture_output=True, text=True, timeout=60, preexec_fn=before)
    return run_model


def fetch(run, *arguments, **variables):
    return run("fetch", NAME, "--revision", "main", *arguments, **variables)


def repository(tmp_path):
    return tmp_path / "hf" / "hub" / CACHED


def snapshot(tmp_path):
    return repository(tmp_path) / "snapshots" / COMMIT


def leftovers(folder):
    return [path.name for path in folder.rglob("*") if path.name.endswith((".incomplete", ".tmp"))]


def assert_failed(result, status, *texts):
    assert result.returncode == status, result.stderr
    assert result.stdout == ""
    for text in texts:
        assert text in result.stderr
