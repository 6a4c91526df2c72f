"""The messages in docs/troubleshooting.md are those that the program prints, but for numbers and names of files."""

import os
import re
import signal
import subprocess
import time

import pytest
from job import PLEAT, REPOSITORY, fasta, proteins

DEMO = REPOSITORY / "configs/demo/models/esm2-demo"
PAGE = (REPOSITORY / "docs/troubleshooting.md").read_text()


def pattern(text):
    """Quoted names, folders, hosts and numbers are those of this run."""
    text = re.sub(r"^(.*? )?(error|warning): ", r"\2: ", text)
    text = re.sub(r"'[^']*[/.][^']*'", "'FILE'", text)
    text = re.sub(r" of (\S*/)?(model|esm\S*) take", " of MODEL take", text)
    text = re.sub(r"structure: (\S*/)?\S+ is a language", "structure: MODEL is a language", text)
    text = re.sub(r" on \S+$", " on HOST", text)
    text = re.sub(r"\b[kMG]?B\b", "GB", text)
    return re.sub(r"\d+(\.\d+)?", "0", text)


SHOWN = {pattern(line.strip()) for line in re.findall(r"^    (.+)$", PAGE, re.M)}


class Place:
    def __init__(self, folder):
        self.folder = folder
        (folder / "p.fasta").write_text(">a\nACDEFGHIKLMNP\n>b\nMKVLAAGIW\n>bad\nAC-D\n")
        (folder / "many.fasta").write_text(fasta(proteins(600, 500, 600)))
        (folder / "m.yaml").write_text(f"version: 1\nmodel: {DEMO}\ninputs: [p.fasta]\noutput: r.h5\n")

    def command(self, *arguments):
        return [PLEAT, *map(str, arguments)]

    def run(self, *arguments, status, expect, before="", **environment):
        """Every error that is printed must stand in the page."""
        command = ["bash", "-c", f'{before} exec "$@"', "-", *self.command(*arguments)]
        # No weights of this machine.
        clean = {"PLEAT_MODELS": "/nonexistent", "HF_HOME": str(self.folder / "hf")}
        done = subprocess.run(command, cwd=self.folder, env=os.environ | clean | environment, capture_output=True, text=True)
        assert done.returncode == status, done.stderr
        self.check(done.stderr, expect)
        return done

    def check(self, stderr, expect):
        lines = [line for line in stderr.splitlines() if re.search(r" (error|warning): ", line) and " hint: " not in line]
        told = [line for line in lines if expect in line]
        assert told, stderr
        for line in told:
            assert pattern(line) in SHOWN, line


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "status", "expect"),
    [
        (("--set", "model=esm2_t6_8M_UR50D"), 66, "are not on this machine"),
        (("--set", "model=esm2_t6_8M_UR5D"), 66, "is neither a folder"),
        (("--set", "inputs=no.fasta"), 66, "cannot open"),
        (("--set", "task.contacts=true"), 78, "unknown key"),
        (("--set", "tasks.structure=true"), 78, "which computes no structures"),
        (("--shard", "slurm-array"), 64, "is not set"),
        (("--max-time", "1s", "--set", "inputs=many.fasta"), 75, "is over"),
        (("--output", "none/x.h5"), 73, "does not exist"),
        ((), 65, "with bad_residue"),
        ((), 65, "UNTRAINED"),
    ],
)
def test_run(place, arguments, status, expect):
    place.run("run", "m.yaml", *arguments, status=status, expect=expect)


def test_gaps(place):
    array = {"ID": "4", "MIN": "1", "MAX": "9", "STEP": "1", "COUNT": "3"}
    variables = {f"SLURM_ARRAY_TASK_{name}": value for name, value in array.items()}
    place.run("run", "m.yaml", "--shard", "slurm-array", status=64, expect="have gaps", **variables)


def test_weights_cut_off(place):
    (place.folder / "bad").mkdir()
    for file in DEMO.iterdir():
        content = file.read_bytes()
        (place.folder / "bad" / file.name).write_bytes(content[:1000] if file.suffix == ".safetensors" else content)
    place.run("run", "m.yaml", "--set", "model=bad", status=66, expect="the file ends after")


@pytest.mark.memory
def test_not_enough_memory(place):
    # Just enough for the program to start with: less on a machine where its libraries need less.
    for megabytes in range(800, 300, -20):
        limited = place.command("run", "m.yaml", "--output", f"{megabytes}.h5")
        done = subprocess.run(["bash", "-c", f'ulimit -v {megabytes}000; exec "$@"', "-", *limited], cwd=place.folder,
                              capture_output=True, text=True)
        if done.returncode == 75 and " take " in done.stderr:
            return place.check(done.stderr, "B of memory")
    pytest.fail("no limit was too little")



def test_the_output_is_there(place):
    (place.folder / "r.h5").touch()
    place.run("run", "m.yaml", status=73, expect="is there already")


def test_two_runs_and_a_changed_manifest(place):
    arguments = ("run", "m.yaml", "--set", "inputs=many.fasta", "--progress", "none")
    first = subprocess.Popen(place.command(*arguments), cwd=place.folder, stderr=subprocess.PIPE, text=True)
    try:
        work = place.folder / "r.h5.work"
        end = time.monotonic() + 60
        while not any(file.stat().st_size > 100_000 for file in work.glob("pleat-segment-*")):
            assert time.monotonic() < end and first.poll() is None
            time.sleep(0.02)
        place.run(*arguments, status=73, expect="is in use by")
        first.send_signal(signal.SIGUSR2)
        stderr = first.communicate(timeout=60)[1]
    finally:
        first.kill()
    assert first.returncode == 128 + signal.SIGUSR2
    place.check(stderr, "stopped by signal")
    place.run(*arguments, "--set", "tasks.contacts=true", "--set", "tasks.embeddings=true", status=73,
              expect="cannot resume")


def test_results(place):
    place.run("run", "m.yaml", status=65, expect="bad_residue")
    for shard in (1, 2):
        done = subprocess.run(place.command("run", "m.yaml", "--shard", f"{shard}/3"), cwd=place.folder)
        assert done.returncode in (0, 65)
    parts = ["r.shard-1-of-3.h5", "r.shard-2-of-3.h5"]
    place.run("merge", *parts, "-o", "merged.h5", status=65, expect="missing")
    place.run("merge", "r.shard-1-of-3.h5", "r.h5", "-o", "merged.h5", status=65, expect="is no shard")
    place.run("export", "r.h5", "--format", "pdb", "--output", "s", status=64, expect="holds no structures")
    place.run("inspect", "p.fasta", status=65, expect="is not an HDF5 file")
    subprocess.run(place.command("merge", *parts, "-o", "merged.h5", "--allow-missing"), cwd=place.folder, check=True)
    done = subprocess.run(place.command("verify", "merged.h5"), cwd=place.folder, capture_output=True, text=True)
    assert done.returncode == 65
    assert pattern(done.stdout.splitlines()[0].replace("merged", "r")) in SHOWN
