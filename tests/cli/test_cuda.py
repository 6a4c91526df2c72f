"""What a run says where CUDA was asked for and cannot be used: the cases that a machine without a GPU has. A machine
that could compute on a GPU has other tests."""

import ctypes.util
import os
import subprocess

import pytest

from job import PLEAT, fasta, proteins

GOOD = fasta(proteins(3))

PLUGIN = os.path.join(os.path.dirname(PLEAT), "libpleat_cuda.so")


@pytest.fixture
def with_plugin(job, monkeypatch):
    job.input("in.fasta", GOOD)
    return lambda path: monkeypatch.setenv("PLEAT_CUDA_PLUGIN", str(path))


@pytest.mark.parametrize("devices", ["cuda", "cuda:0,1", "cuda*2", "cuda:0*2"])
def test_no_plugin(job, with_plugin, tmp_path, devices):
    with_plugin(tmp_path / "none.so")
    job.refused(69, devices, "no part for CUDA", tmp_path / "none.so", "run.devices to cpu", arguments=("--devices", devices))


def test_plugin_that_is_no_library(job, with_plugin, tmp_path):
    (tmp_path / "broken.so").write_bytes(b"\x7fELF and nothing more")
    with_plugin(tmp_path / "broken.so")
    job.refused(69, "cannot be loaded", "broken.so", "ldd", arguments=("--devices", "cuda"))


def library(folder, name, source, *options):
    (folder / f"{name}.c").write_text(source)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / name, folder / f"{name}.c", *options], check=True)
    return folder / name


def test_plugin_that_lacks_a_library(job, with_plugin, tmp_path):
    needed = library(tmp_path, "libneeded_by_pleat.so", "int needed(void) { return 1; }")
    plugin = library(tmp_path, "plugin.so", "int needed(void); int use(void) { return needed(); }",
                     f"-L{tmp_path}", "-lneeded_by_pleat")
    needed.unlink()
    with_plugin(plugin)
    job.refused(69, "libneeded_by_pleat.so", "cannot open shared object file", arguments=("--devices", "cuda"))


@pytest.mark.parametrize("source, words", [
    ('const char* pleat_cuda_abi(void) { return "pleat 9.9.9, LibTorch 1.0"; }'
     "const void* pleat_cuda_plugin(void) { __builtin_trap(); }", "pleat 9.9.9"),
    ("int anything;", "does not say its version"),
])
def test_plugin_of_another_version(job, with_plugin, tmp_path, source, words):
    with_plugin(library(tmp_path, "other.so", source))
    job.refused(69, "another pleat", words, arguments=("--devices", "cuda:0"))


def test_plugin_and_no_driver(job):
    """The plug-in of this build, where it has one. With a driver there may be a GPU, and the run a success."""
    job.input("in.fasta", GOOD)
    if ctypes.util.find_library("cuda") is None:
        words = ["no NVIDIA driver", "libcuda.so.1"] if os.path.exists(PLUGIN) else ["no part for CUDA", PLUGIN]
        job.refused(69, *words, arguments=("--devices", "cuda"))
    else:
        assert job.run("--devices", "cuda").returncode in (0, 69)


def test_auto_computes_on_the_processor_whatever_the_plugin_is(job, with_plugin, tmp_path):
    (tmp_path / "broken.so").write_bytes(b"nothing")
    with_plugin(tmp_path / "broken.so")
    done = job.run("--devices", "auto")
    assert done.returncode == 0, done.stderr
    visible = any(os.path.exists(path) for path in ("/dev/nvidiactl", "/dev/dxg", "/proc/driver/nvidia/version"))
    assert ("although there is a GPU: the part for CUDA cannot be loaded" in done.stderr) == visible
