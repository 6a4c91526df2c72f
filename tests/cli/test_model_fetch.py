"""`pleat model fetch` when things go wrong on the way: redirects, tokens, faults, disks, rivals."""

import fcntl
import resource
import signal
import threading
import time

import pytest
from hub_fixtures import (CACHED, CONFIG, NAME, REPOSITORY, WEIGHTS, assert_failed, environment, fetch, hub, leftovers,
                          repository, run, snapshot, storage)  # noqa: F401
from hub_server import sha256


# Redirects and tokens

def test_relative_redirects_of_moved_repositories(run, hub, tmp_path):
    hub.relative_redirects = True
    result = fetch(run)
    assert result.returncode == 0, result.stderr
    assert (snapshot(tmp_path) / "model.safetensors").read_bytes() == WEIGHTS


def test_the_token_stays_with_the_hub(run, hub, storage):
    hub.token = "hf_secret"
    result = fetch(run, HF_TOKEN="hf_secret")
    assert result.returncode == 0, result.stderr
    assert all(headers["Authorization"] == "Bearer hf_secret" for _, _, headers in hub.requests)
    assert len(storage.requests) == 1
    assert "Authorization" not in storage.requests[0][2]
    assert "hf_secret" not in result.stderr


def test_the_token_file_of_the_python_client(run, hub, tmp_path):
    hub.token = "hf_file"
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / "token").write_text("hf_file\n")
    assert fetch(run).returncode == 0


def test_without_a_token_none_is_sent(run, hub):
    assert fetch(run).returncode == 0
    assert all("Authorization" not in headers for _, _, headers in hub.requests)


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_redirects_to_other_schemes_are_refused(run, hub, tmp_path, location):
    hub.location = location
    assert_failed(fetch(run), 65, "is not an http or https address")
    assert leftovers(tmp_path) == []


def test_endless_redirects_end(run, hub, tmp_path):
    hub.location = hub.url + f"/{REPOSITORY}/resolve/main/model.safetensors"
    assert_failed(fetch(run), 65, "redirects without end")


# Faults on the way

def test_a_cut_connection_is_continued(run, storage, tmp_path):
    storage.cuts, storage.cut_after = 1, 700_000
    result = fetch(run)
    assert result.returncode == 0, result.stderr
    assert [request[2].get("Range") for request in storage.requests] == [None, "bytes=700000-"]
    assert (snapshot(tmp_path) / "model.safetensors").read_bytes() == WEIGHTS
    assert "trying again" in result.stderr
    assert f"{(len(WEIGHTS) + len(CONFIG)) / 1e6:.1f} MB fetched" in result.stderr


def test_an_interrupted_fetch_is_continued_by_the_next(run, storage, tmp_path):
    storage.cuts, storage.cut_after = 5, 1000
    assert_failed(fetch(run), 75, "cannot read", "copy DIR here")
    assert not (snapshot(tmp_path) / "model.safetensors").exists()
    assert not (repository(tmp_path) / "blobs" / sha256(WEIGHTS)).exists()
    partial = repository(tmp_path) / "blobs" / (sha256(WEIGHTS) + ".incomplete")
    assert partial.stat().st_size == 5000
    assert_failed(run("verify", NAME), 66, "are not on this machine")
    storage.requests.clear()
    assert fetch(run).returncode == 0
    assert [request[2].get("Range") for request in storage.requests] == ["bytes=5000-"]
    assert (snapshot(tmp_path) / "model.safetensors").read_bytes() == WEIGHTS
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("fault", ["ignore_range", "refuse_range"])
def test_servers_that_cannot_continue(run, storage, tmp_path, fault):
    storage.cuts, storage.cut_after = 1, 700_000
    setattr(storage, fault, True)
    result = fetch(run)
    assert result.returncode == 0, result.stderr
    assert (snapshot(tmp_path) / "model.safetensors").read_bytes() == WEIGHTS


def write_partial(tmp_path, content):
    partial = repository(tmp_path) / "blobs" / (sha256(WEIGHTS) + ".incomplete")
    partial.parent.mkdir(parents=True)
    partial.write_bytes(content)


def test_a_bad_older_part_is_fetched_anew(run, storage, tmp_path):
    write_partial(tmp_path, b"x" * 1000)
    result = fetch(run)
    assert result.returncode == 0, result.stderr
    assert [request[2].get("Range") for request in storage.requests] == ["bytes=1000-", None]
    assert (snapshot(tmp_path) / "model.safetensors").read_bytes() == WEIGHTS


def test_a_part_that_is_too_long_is_fetched_anew(run, tmp_path):
    write_partial(tmp_path, WEIGHTS + b"more")
    assert fetch(run).returncode == 0
    assert (snapshot(tmp_path) / "model.safetensors").read_bytes() == WEIGHTS


def test_a_part_that_is_whole_is_only_checked(run, storage, tmp_path):
    write_partial(tmp_path, WEIGHTS)
    assert fetch(run).returncode == 0
    assert storage.requests == []


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
@pytest.mark.parametrize("arguments", [(), ("--output", "out")])
def test_a_wrong_hash_leaves_nothing(run, hub, tmp_path, name, arguments):
    hub.hashes[name] = "0" * (40 if name == "config.json" else 64)
    assert_failed(fetch(run, *arguments), 65, f"'{name}' has the hash", "it has been deleted")
    assert [path for path in tmp_path.rglob(name)] == []
    assert [path for path in tmp_path.rglob("0" * 40 + "*") if not path.name.endswith(".lock")] == []
    assert leftovers(tmp_path) == []


def test_a_file_longer_than_announced_is_refused(run, hub, storage, tmp_path):
    storage.files["/" + sha256(WEIGHTS)] = WEIGHTS + b"more"
    assert_failed(fetch(run), 65, "sends more than")
    assert not (snapshot(tmp_path) / "model.safetensors").exists()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_busy_servers_are_asked_again(run, hub, status):
    hub.failures = [status, status]
    result = fetch(run)
    assert result.returncode == 0, result.stderr
    assert result.stderr.count(f"answers with status {status}; trying again") == 2


def test_a_server_that_stays_busy_is_given_up(run, hub):
    hub.failures = [503] * 100
    result = fetch(run)
    assert_failed(result, 75, "answers with status 503", "copy DIR here")
    assert len(hub.requests) == 5


def test_expired_storage_addresses_are_asked_for_again(run, hub, storage):
    """The storage answers 404 at first: the hub is asked for a new address."""
    storage.absences = 1
    result = fetch(run)
    assert result.returncode == 0, result.stderr
    assert len(hub.gets("model.safetensors")) >= 2
    assert "Signature" not in result.stderr


def test_no_network(run, hub):
    hub.close()
    started = time.monotonic()
    assert_failed(fetch(run), 75, "cannot read", f"pleat model fetch {NAME} --output DIR", "HF_ENDPOINT")
    assert time.monotonic() - started < 30


def test_offline_mode_sends_nothing(run, hub):
    assert_failed(fetch(run, HF_HUB_OFFLINE="1"), 64, "HF_HUB_OFFLINE is set", "copy DIR here")
    assert hub.requests == []


# The disk

def limit_file_size():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


def test_a_full_disk_can_be_tried_again(run, storage, tmp_path):
    assert_failed(fetch(run, before=limit_file_size), 75, "cannot write", "File too large")
    assert not (snapshot(tmp_path) / "model.safetensors").exists()
    assert fetch(run).returncode == 0
    assert storage.requests[-1][2]["Range"] == "bytes=100000-"


def test_a_folder_that_cannot_be_made(run, tmp_path):
    (tmp_path / "file").write_text("")
    assert_failed(fetch(run, "--output", "file/model"), 73, "cannot create")


def test_two_fetches_at_once_transfer_once(run, storage, tmp_path):
    results = []
    threads = [threading.Thread(target=lambda: results.append(fetch(run))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result.returncode for result in results] == [0, 0, 0]
    assert len(storage.requests) == 1
    assert (snapshot(tmp_path) / "model.safetensors").read_bytes() == WEIGHTS


def test_the_python_clients_lock_is_respected(run, storage, tmp_path):
    lock = tmp_path / "hf" / "hub" / ".locks" / CACHED / (sha256(WEIGHTS) + ".lock")
    lock.parent.mkdir(parents=True)
    results = []
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        thread = threading.Thread(target=lambda: results.append(fetch(run)))
        thread.start()
        time.sleep(4)
        assert storage.requests == []
    thread.join()
    assert results[0].returncode == 0
    assert "waiting for another fetch" in results[0].stderr
