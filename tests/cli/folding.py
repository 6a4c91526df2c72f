"""Small folding models, and runs that fold."""

import json
import shutil
import sys

import numpy as np
import safetensors
from job import REPOSITORY, Job, fasta, structures

sys.path.append(str(REPOSITORY / "scripts/golden"))
from seeded import listed_array  # noqa: E402

GOLDEN = REPOSITORY / "tests/data/esmfold"
FOLDING = GOLDEN / "ordinary"
SMALL = {"num_recycles": 1, "dtype": "float32"}


def golden_model(name, work):
    """The folder with config.json and weights of a golden model: its own, or one in `work` with weights made from
    seeds."""
    golden = GOLDEN / name
    if not (golden / "weights.json").exists():
        return golden
    folder = work / name
    folder.mkdir()
    shutil.copy(golden / "config.json", folder)
    entries = json.loads((golden / "weights.json").read_text())
    safetensors.write(folder / "model.safetensors", {entry["name"]: listed_array(entry) for entry in entries})
    return folder


def fold_job(tmp_path):
    (tmp_path / "job").mkdir()
    job = Job(tmp_path / "job", FOLDING)
    job.keys["tasks"] = {"structure": dict(SMALL)}
    job.keys["run"] = {"precision": "fp32"}
    return job


def fold(job, sequences, *arguments, names=None, **keys):
    """id -> arrays of a run that must succeed."""
    job.input("in.fasta", fasta(sequences, names))
    job.keys["tasks"]["structure"] |= keys
    with job.compute("--overwrite", *arguments) as file:
        return structures(file)


def same(one, other):
    """Equal bit by bit, what was never computed included."""
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)
