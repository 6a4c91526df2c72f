"""The image in the real Docker engine: as any user, with a read-only root and no network, and what it says when
something is missing."""

import gzip
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from engines import IMAGE, MODEL, REPOSITORY, data_of, fasta, proteins, real_proteins, run, write_job

USER = "12345:12345"
STRICT = ["--user", USER, "--read-only", "--tmpfs", "/tmp", "--network", "none"]


def command(folder, *arguments, options=(), strict=tuple(STRICT)):
    """As the README says: the folder under its own name, the model mounted read-only."""
    mounts = ["--volume", f"{folder}:{folder}", "--workdir", folder, "--volume", f"{MODEL}:{MODEL}:ro"]
    return ["docker", "run", "--rm", *strict, *mounts, *options, IMAGE, *arguments]


def refused(status, text, *arguments, **options):
    """Ends with this status, one line that says why, and at most one more with a hint."""
    stderr = run(*command(*arguments, **options), status=status).stderr
    errors = [line for line in stderr.splitlines() if " error: " in line]
    assert text in errors[0] and len(errors) <= 2, stderr


@pytest.fixture
def folder(tmp_path):
    tmp_path.chmod(0o777)
    return write_job(tmp_path, fasta(proteins(20)))


def test_same_bits_as_any_user_without_network_or_writable_root(tmp_path, same_bits):
    tmp_path.chmod(0o777)
    write_job(tmp_path, real_proteins(200), contacts="true")
    run(*command(tmp_path, "pleat", "run", "manifest.yaml", "--progress", "none"))
    same_bits("Docker", tmp_path / "results.h5")
    assert (tmp_path / "results.h5").stat().st_uid == 12345


def test_without_a_home(folder):
    run(*command(folder, "env", "-u", "HOME", "pleat", "run", "manifest.yaml", "--progress", "none"))
    assert (folder / "results.h5").is_file()


def test_what_is_in_it():
    configuration = json.loads(run("docker", "image", "inspect", IMAGE).stdout)[0]["Config"]
    assert not configuration["Entrypoint"]
    assert "PLEAT_MODELS=/models" in configuration["Env"]
    labels = {key.removeprefix("org.opencontainers.image.") for key in configuration["Labels"]}
    assert {"title", "description", "version", "revision", "licenses", "base.name"} <= labels
    tools = run("docker", "run", "--rm", IMAGE, "bash", "-c", "command -v bash ps awk date grep sed tail tee").stdout
    assert len(tools.splitlines()) == 8
    unwanted = "! command -v cc c++ g++ gcc clang cmake python3 perl5 git"
    run("docker", "run", "--rm", IMAGE, "bash", "-c", unwanted)
    assert run("docker", "run", "--rm", IMAGE, "pleat", "--version").stdout.startswith("0.1.0 (")


def test_bill_of_materials():
    bill = json.loads(run("docker", "run", "--rm", IMAGE, "cat", "/opt/pleat/sbom.spdx.json").stdout)
    assert bill["spdxVersion"] == "SPDX-2.3" and bill["documentDescribes"] == ["SPDXRef-pleat"]
    names = {package["name"]: package["versionInfo"] for package in bill["packages"]}
    assert names["torch"] == "2.11.0" and names["pleat"] == "0.1.0"
    installed = run("docker", "run", "--rm", IMAGE, "dpkg-query", "-W", "-f", "${Package} ${Version}\\n").stdout
    for line in installed.splitlines():
        package, version = line.split()
        assert names[package] == version
    identifiers = [package["SPDXID"] for package in bill["packages"]]
    assert len(set(identifiers)) == len(identifiers)


def test_size():
    """Compressed, as a registry would hand it out."""
    size = Path(os.environ["PLEAT_IMAGE_ARCHIVE"]).stat().st_size
    print(f"\nthe image, compressed: {size / 1e6:.0f} MB")
    assert size <= 250e6
    with gzip.open(os.environ["PLEAT_IMAGE_ARCHIVE"]) as archive:
        assert archive.read(1)


def test_limits_of_the_container_are_respected(folder):
    def findings(*options):
        done = run(*command(folder, "pleat", "doctor", "--json", options=options))
        return {finding["subject"]: finding["text"] for finding in json.loads(done.stdout)["findings"]}

    free = findings("--memory", "3g", "--cpus", "1")
    assert free["threads"].startswith("1 of ")
    assert 2.0 < float(free["memory"].split()[0]) <= 3.3
    assert float(findings()["memory"].split()[0]) > 3.3


def test_stopped_in_the_middle_and_on_again(tmp_path):
    """`docker stop`: pleat is process 1 here, and gets SIGTERM."""
    tmp_path.chmod(0o777)
    write_job(tmp_path, real_proteins(1500))
    start = command(tmp_path, "pleat", "run", "manifest.yaml", "--progress", "none", options=["--name", "pleat-stop"])
    process = subprocess.Popen([str(part) for part in start], stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while not list(tmp_path.glob("results.h5.work/pleat-segment-*")) and time.monotonic() < end:
        time.sleep(0.02)
    run("docker", "stop", "--time", 20, "pleat-stop")
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM, stderr
    assert "the same command resumes it" in stderr and not (tmp_path / "results.h5").exists()
    done = run(*command(tmp_path, "pleat", "run", "manifest.yaml", "--progress", "none"))
    assert "resumes an earlier run" in done.stderr
    write_job(tmp_path / "undisturbed", real_proteins(1500)).chmod(0o777)
    run(*command(tmp_path / "undisturbed", "pleat", "run", "manifest.yaml", "--progress", "none"))
    assert data_of(tmp_path / "results.h5") == data_of(tmp_path / "undisturbed/results.h5")


def test_weights_that_are_not_mounted(folder):
    by_name = ("pleat", "run", "manifest.yaml", "--set", "model=esm2_t6_8M_UR50D")
    refused(66, "esm2_t6_8M_UR50D", folder, *by_name)
    refused(66, "/elsewhere/model", folder, "pleat", "run", "manifest.yaml", "--set", "model=/elsewhere/model")
    doctor = run(*command(folder, "pleat", "doctor", options=["--env", "PLEAT_MODELS=/weights"]))
    assert "-> mount the folder with the weights there: --volume DIR:/weights:ro" in doctor.stdout


def test_an_output_that_cannot_be_written(folder):
    read_only = [
        "docker",
        "run",
        "--rm",
        *STRICT,
        "--volume",
        f"{folder}:{folder}:ro",
        "--volume",
        f"{MODEL}:{MODEL}:ro",
    ]
    done = run(*read_only, "--workdir", folder, IMAGE, "pleat", "run", "manifest.yaml", status=73)
    assert "results.h5" in done.stderr and "Read-only file system" in done.stderr


def test_the_wrong_user(folder):
    folder.chmod(0o755)
    refused(73, "Permission denied", folder, "pleat", "run", "manifest.yaml")


def test_an_array_without_its_index(folder):
    refused(64, "SLURM_ARRAY_TASK_ID", folder, "pleat", "run", "manifest.yaml", "--shard", "slurm-array")


def test_a_gpu_that_is_not_there(folder):
    refused(69, "cuda", folder, "pleat", "run", "manifest.yaml", "--devices", "cuda")


def test_no_docker_engine(tmp_path):
    nowhere = os.environ | {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    done = run(REPOSITORY / "scripts/image", "cpu", status=1, env=nowhere)
    assert done.stderr.splitlines() == [
        "image: no Docker engine answers; start one (as root: dockerd), or join the group docker"
    ]
