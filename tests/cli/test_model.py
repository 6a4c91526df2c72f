"""`pleat model list | fetch | verify`: what is written and found, and answers that are no."""

import json
import os

import numpy as np
import pytest
import torch_zip
from hub_fixtures import (CACHED, CONFIG, NAME, REPOSITORY, WEIGHTS, assert_failed, environment, fetch, hub, leftovers,
                          repository, run, snapshot, storage)  # noqa: F401
from hub_server import COMMIT, git_hash, safetensors, sha256


# What is written

def test_fetch_writes_the_cache_layout(run, tmp_path):
    result = fetch(run)
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"{snapshot(tmp_path)}\n"
    assert result.stderr.splitlines() == [
        f"config.json: {len(CONFIG)} B, hash checked", "model.safetensors: 2.0 MB, hash checked",
        f"commit {COMMIT}, 2.0 MB fetched",
        f"compare what it computes here with published numbers: pleat model verify {NAME} --compute"]
    blobs = repository(tmp_path) / "blobs"
    assert sorted(path.name for path in blobs.iterdir()) == sorted([git_hash(CONFIG), sha256(WEIGHTS)])
    link = snapshot(tmp_path) / "model.safetensors"
    assert os.readlink(link) == f"../../blobs/{sha256(WEIGHTS)}"
    assert link.read_bytes() == WEIGHTS
    assert (snapshot(tmp_path) / "config.json").read_bytes() == CONFIG
    assert (repository(tmp_path) / "refs" / "main").read_text() == COMMIT
    assert leftovers(tmp_path) == []


def test_fetched_model_is_found_and_verified(run, tmp_path):
    assert fetch(run).returncode == 0
    result = run("verify", NAME)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.startswith(f"{snapshot(tmp_path)}\n")
    assert sha256(WEIGHTS) in result.stdout
    listed = {model["name"]: model for model in json.loads(run("list", "--json").stdout)}
    assert listed[NAME]["path"] == str(snapshot(tmp_path))
    assert listed["esm2_t12_35M_UR50D"]["path"] is None


def test_optional_files_come_along(run, hub, tmp_path):
    hub.repositories[REPOSITORY]["vocab.txt"] = b"<cls>\n<pad>"
    hub.repositories[REPOSITORY]["README.md"] = b"not fetched"
    assert fetch(run).returncode == 0
    names = sorted(path.name for path in snapshot(tmp_path).iterdir())
    assert names == ["config.json", "model.safetensors", "vocab.txt"]


def test_output_writes_plain_files(run, tmp_path):
    result = fetch(run, "--output", "out/model")
    assert result.returncode == 0, result.stderr
    out = tmp_path / "out" / "model"
    assert sorted(path.name for path in out.iterdir()) == ["config.json", "model.safetensors"]
    assert not any(path.is_symlink() for path in out.iterdir())
    assert (out / "model.safetensors").read_bytes() == WEIGHTS
    assert not (tmp_path / "hf").exists()
    assert run("verify", "out/model").returncode == 0


def test_output_keeps_another_models_files(run, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "config.json").write_text("mine")
    assert_failed(fetch(run, "--output", "out"), 73, "config.json' is there already")
    assert (tmp_path / "out" / "config.json").read_text() == "mine"


def test_a_second_fetch_transfers_nothing(run, hub, storage, tmp_path):
    for arguments in ((), ("--output", "out")):
        assert fetch(run, *arguments).returncode == 0
        before = len(storage.requests) + len(hub.gets(".json"))
        result = fetch(run, *arguments)
        assert result.returncode == 0
        assert len(storage.requests) + len(hub.gets(".json")) == before
        assert "model.safetensors: already here" in result.stderr
        assert "0 B fetched" in result.stderr


def test_sharded_weights(run, hub, tmp_path):
    files = hub.repositories[REPOSITORY]
    del files["model.safetensors"]
    shards = {f"model-0000{i}-of-00002.safetensors": safetensors({f"t{i}": bytes([i]) * 5000}) for i in (1, 2)}
    files.update(shards)
    files["model.safetensors.index.json"] = json.dumps(
        {"weight_map": {"t1": "model-00001-of-00002.safetensors", "t2": "model-00002-of-00002.safetensors"}}).encode()
    result = fetch(run)
    assert result.returncode == 0, result.stderr
    for name, content in shards.items():
        assert (snapshot(tmp_path) / name).read_bytes() == content
    assert "2 tensors are sound" in run("verify", NAME).stdout


TORCH = torch_zip.dumps({"a": np.arange(600, dtype=np.float32)})


def test_pytorch_weights(run, hub, tmp_path):
    files = hub.repositories[REPOSITORY]
    del files["model.safetensors"]
    files["pytorch_model.bin"] = TORCH
    result = fetch(run)
    assert result.returncode == 0, result.stderr
    assert "pytorch_model.bin: 3." in result.stderr and "hash checked" in result.stderr
    assert (snapshot(tmp_path) / "pytorch_model.bin").read_bytes() == TORCH
    verified = run("verify", NAME)
    assert verified.returncode == 0, verified.stdout
    assert sha256(TORCH) in verified.stdout and "1 tensors are sound" in verified.stdout


def test_esmfold_is_fetched_by_its_name(run, hub, tmp_path):
    hub.repositories["facebook/esmfold_v1"] = {
        "config.json": CONFIG, "pytorch_model.bin": TORCH, "vocab.txt": b"A\nR\nN\nD"}
    result = run("fetch", "esmfold_v1", "--revision", "main")
    assert result.returncode == 0, result.stderr
    folder = tmp_path / "hf/hub/models--facebook--esmfold_v1/snapshots" / COMMIT
    assert result.stdout == f"{folder}\n"
    assert (folder / "pytorch_model.bin").read_bytes() == TORCH
    listed = {model["name"]: model for model in json.loads(run("list", "--json").stdout)}
    assert listed["esmfold_v1"]["path"] == str(folder)
    assert listed["esmfold_v1"]["kind"] == "esmfold"


def test_safetensors_are_preferred(run, hub, tmp_path):
    hub.repositories[REPOSITORY]["pytorch_model.bin"] = TORCH
    assert fetch(run).returncode == 0
    assert sorted(path.name for path in snapshot(tmp_path).iterdir()) == ["config.json", "model.safetensors"]


def test_sharded_pytorch_weights(run, hub, tmp_path):
    files = hub.repositories[REPOSITORY]
    del files["model.safetensors"]
    shards = {f"pytorch_model-0000{i}-of-00002.bin": torch_zip.dumps({f"t{i}": np.full(9, i)}) for i in (1, 2)}
    files.update(shards)
    files["pytorch_model.bin.index.json"] = json.dumps(
        {"weight_map": {"t1": "pytorch_model-00001-of-00002.bin", "t2": "pytorch_model-00002-of-00002.bin"}}).encode()
    result = fetch(run)
    assert result.returncode == 0, result.stderr
    for name, content in shards.items():
        assert (snapshot(tmp_path) / name).read_bytes() == content
    verified = run("verify", NAME)
    assert "2 tensors are sound" in verified.stdout
    assert "pytorch_model.bin.index.json" in verified.stdout


def test_a_fetched_pickle_is_never_obeyed(run, hub, tmp_path):
    files = hub.repositories[REPOSITORY]
    del files["model.safetensors"]
    files["pytorch_model.bin"] = torch_zip.calling(os.system, f"touch {tmp_path}/owned")
    assert fetch(run).returncode == 0
    result = run("verify", NAME)
    assert result.returncode == 65
    assert "refers to 'posix.system'" in result.stdout
    assert not (tmp_path / "owned").exists()


def test_an_index_cannot_name_files_elsewhere(run, hub, tmp_path):
    files = hub.repositories[REPOSITORY]
    del files["model.safetensors"]
    files["model.safetensors.index.json"] = b'{"weight_map": {"t": "../../../evil.safetensors"}}'
    assert_failed(fetch(run), 65, "no safetensors file of this folder")
    assert list(tmp_path.rglob("evil*")) == []


def test_a_revision_with_slashes(run, hub, tmp_path):
    result = run("fetch", NAME, "--revision", "refs/pr/4")
    assert result.returncode == 0, result.stderr
    assert (repository(tmp_path) / "refs" / "refs" / "pr" / "4").read_text() == COMMIT
    assert hub.requests[0][1] == f"/{REPOSITORY}/resolve/refs%2Fpr%2F4/config.json"
    assert run("verify", NAME).returncode == 0


def test_hub_cache_variable(run, tmp_path):
    assert fetch(run, HF_HUB_CACHE=str(tmp_path / "elsewhere")).returncode == 0
    assert (tmp_path / "elsewhere" / CACHED / "refs" / "main").exists()


# Answers that are no

def test_missing_revision(run):
    assert_failed(run("fetch", NAME, "--revision", "nothing"), 66, "no such revision")


def test_missing_repository(run, hub):
    hub.repositories.clear()
    assert_failed(fetch(run), 66, "denies access (status 401)", "HF_TOKEN")


def test_missing_config(run, hub):
    del hub.repositories[REPOSITORY]["config.json"]
    assert_failed(fetch(run), 66, "has no 'config.json'")


def test_missing_weights(run, hub, tmp_path):
    hub.repositories[REPOSITORY] = {"config.json": CONFIG, "tf_model.h5": b"..."}
    assert_failed(fetch(run), 66, "has neither model.safetensors nor pytorch_model.bin")
    assert not (tmp_path / "hf").exists()


def test_private_and_gated(run, hub):
    hub.token = "hf_right"
    assert_failed(fetch(run), 66, "status 401", "set HF_TOKEN")
    assert_failed(fetch(run, HF_TOKEN="hf_wrong"), 66, "status 401", "may not read")
    hub.gated = True
    assert_failed(fetch(run, HF_TOKEN="hf_wrong"), 66, "status 403", "accept the conditions")


def test_an_answer_that_is_not_the_hubs(run, storage, tmp_path):
    storage.files[f"/{REPOSITORY}/resolve/main/config.json"] = b"<html>log in</html>"
    assert_failed(fetch(run, HF_ENDPOINT=storage.url), 65, "does not name the commit", "HF_ENDPOINT")


@pytest.mark.parametrize("endpoint", ["file:///etc", "nonsense:", "http://"])
def test_a_bad_endpoint(run, endpoint):
    result = fetch(run, HF_ENDPOINT=endpoint)
    assert_failed(result, 65, "is not an http or https address")


@pytest.mark.parametrize("revision", ["../../x", "/main", "a//b", "a b", ".hidden", "a/../b"])
def test_a_bad_revision(run, hub, revision):
    assert_failed(run("fetch", NAME, "--revision", revision), 64, "is no revision")
    assert hub.requests == []


def test_an_unknown_name_is_corrected(run, hub):
    assert_failed(run("fetch", "esm2_t6_8M_URD50"), 66, "no published model", f"did you mean '{NAME}'?")
    assert hub.requests == []


def test_another_commit_than_asked_for(run):
    assert_failed(run("fetch", NAME), 66, "no such revision")  # the stand-in has only its own commit


def test_a_changed_model_at_the_published_commit(run, hub):
    revision = next(model for model in json.loads(run("list", "--json").stdout) if model["name"] == NAME)["revision"]
    hub.commit = revision
    assert_failed(run("fetch", NAME), 65, "but the published one has", "the mirror has changed the model")


# verify and list

def test_verify_finds_a_changed_byte(run, tmp_path):
    assert fetch(run).returncode == 0
    blob = repository(tmp_path) / "blobs" / sha256(WEIGHTS)
    content = bytearray(WEIGHTS)
    content[-1] ^= 1
    blob.write_bytes(content)
    result = run("verify", NAME)
    assert result.returncode == 65
    assert "WRONG HASH" in result.stdout and "does not have the hash it should have" in result.stdout


def test_verify_finds_a_truncated_file(run, tmp_path):
    assert fetch(run, "--output", "out").returncode == 0
    os.truncate(tmp_path / "out" / "model.safetensors", len(WEIGHTS) - 1)
    result = run("verify", "out")
    assert result.returncode == 65
    assert "cut short" in result.stdout


def test_verify_needs_a_model(run):
    assert_failed(run("verify", "nowhere"), 66, "neither a folder nor a published model's name")


def test_list_is_a_table(run):
    lines = run("list").stdout.splitlines()
    assert lines[0].split()[0] == "NAME"
    assert any(line.startswith(NAME) and line.endswith("  no") for line in lines)
    assert any(line.split()[0] == "esmfold_v1" and "pytorch" in line for line in lines)
    assert len(lines) == 8  # a heading and seven models, all of which can be run


@pytest.mark.parametrize("arguments", [(), ("fetch",), ("fetch", NAME, "--nonsense"), ("nonsense",)])
def test_usage_errors(run, arguments):
    assert run(*arguments).returncode == 64
