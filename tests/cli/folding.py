"""Small folding models, and runs that fold."""

import numpy as np
from job import REPOSITORY, Job, fasta, structures

GOLDEN = REPOSITORY / "tests/data/esmfold"
FOLDING = GOLDEN / "ordinary"
SMALL = {"num_recycles": 1, "dtype": "float32"}


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
