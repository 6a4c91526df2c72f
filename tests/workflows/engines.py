"""What the tests of workflows share: inputs, models, and what two result files must have in common."""

import gzip
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests/cli"))
from job import HISTORY, contents, fasta, proteins, records, texts  # noqa: E402, F401

PLEAT = os.environ["PLEAT"]
IMAGE = os.environ["PLEAT_IMAGE"]
MODEL = REPOSITORY / "configs/demo/models/esm2-demo"
FOLD_MODEL = REPOSITORY / "configs/demo/models/esmfold-demo"
EXAMPLES = Path("/usr/share/doc/mmseqs2/example-data/DB.fasta.gz")


def real_proteins(count, longest=600):
    """The first of a set of real proteins, as FASTA."""
    entries, entry = [], []
    with gzip.open(EXAMPLES, "rt") as file:
        for line in file:
            if line.startswith(">") and entry:
                entries.append(entry)
                entry = []
            entry.append(line)
    short = [entry for entry in entries if sum(len(line.strip()) for line in entry[1:]) <= longest]
    assert len(short) >= count
    return "".join("".join(entry) for entry in short[:count])


def data_of(file):
    """All that was computed and read, bit for bit, without what tells of the run and of the files it read."""
    with h5py.File(file, "r") as opened:
        return {path: value for path, value in contents(opened).items() if not path.startswith(("/", "inputs"))}


def pleat_that_tells(folder):
    """A folder for the PATH whose pleat notes in folder/told when each run begins and ends."""
    wrapper = folder / "bin/pleat"
    wrapper.parent.mkdir()
    wrapper.write_text(f'''#!/bin/bash
[ "$1" = run ] || exec {PLEAT} "$@"
echo begin >>{folder}/told
sleep 1
{PLEAT} "$@"
status=$?
echo end >>{folder}/told
exit $status
''')
    wrapper.chmod(0o755)
    return wrapper.parent


def assert_reported(folder, sample, ok, rejected=0):
    """The page and MultiQC's table of a sample, which stand for the result file beside them."""
    page = (folder / f"{sample}.report.html").read_text()
    assert page.startswith("<!doctype html>") and f"{sample}.h5" in page
    table = [line for line in (folder / f"{sample}_mqc.tsv").read_text().splitlines() if not line.startswith("#")]
    names, values = (line.split("\t") for line in table)
    row = dict(zip(names, values))
    assert [row[name] for name in ("Sample", "Records", "OK", "Rejected")] == [
        sample, str(ok + rejected), str(ok), str(rejected)]


def run(*command, status=0, **options):
    """A command that must end with this status; returns what it printed."""
    done = subprocess.run(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )
    assert done.returncode == status, f"{command}: {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done


MANIFEST = """\
version: 1
model: {model}
inputs: [proteins.fasta]
output: results.h5
tasks:
  embeddings: {{layers: [0, -1], per_residue: true, mean: true}}
  contacts: {contacts}
"""


def write_job(folder, text, model=MODEL, contacts="false"):
    """A folder with proteins.fasta and manifest.yaml in it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "proteins.fasta").write_text(text)
    (folder / "manifest.yaml").write_text(MANIFEST.format(model=model, contacts=contacts))
    return folder


def pleat_processes(folder):
    """Of `pleat run` in a folder below this one."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and (process / "exe").resolve() == Path(PLEAT).resolve():
                if (process / "cwd").resolve().is_relative_to(folder):
                    found.append(int(process.name))
        except OSError:
            continue
    return found


def long_job(folder):
    """A job of some seconds, and what an undisturbed run makes of it."""
    text = real_proteins(1500)
    write_job(folder, text)
    plain = write_job(folder / "plain", text)
    run(PLEAT, "run", plain / "manifest.yaml", "--progress", "none")
    return data_of(plain / "results.h5")


def engine_whose_pleat_is_killed(command, folder, environment, state):
    """What an engine prints that must end well, although pleat gets SIGKILL once there are results in `state`."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, cwd=folder, env=environment, **streams) as process:
        try:
            end = time.monotonic() + 90
            while time.monotonic() < end and process.poll() is None:
                if any(path.stat().st_size > 1_000_000 for path in state.glob("pleat-segment-*")):
                    break
                time.sleep(0.02)
            victims = pleat_processes(folder)
            assert victims
            for victim in victims:
                os.kill(victim, signal.SIGKILL)
            output, _ = process.communicate(timeout=600)
        finally:
            process.kill()
    assert process.returncode == 0, output
    return output
