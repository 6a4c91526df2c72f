import os

import pytest
from engines import PLEAT, REPOSITORY, data_of, fasta, proteins, real_proteins, run, write_job

SLURM_HOST = REPOSITORY / "tests/workflows/slurm_host"


@pytest.fixture(scope="session")
def expected(tmp_path_factory):
    """What plain `pleat run` makes of 200 real proteins."""
    folder = write_job(tmp_path_factory.mktemp("plain"), real_proteins(200), contacts="true")
    run(PLEAT, "run", folder / "manifest.yaml", "--progress", "none")
    return data_of(folder / "results.h5")


@pytest.fixture(scope="session")
def expected_small(tmp_path_factory):
    folder = write_job(tmp_path_factory.mktemp("small"), fasta(proteins(30)))
    run(PLEAT, "run", folder / "manifest.yaml", "--progress", "none")
    return data_of(folder / "results.h5")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """The environment of commands of a SLURM of one host."""
    folder = tmp_path_factory.mktemp("slurm")
    try:
        run(SLURM_HOST, "start", folder)
        yield os.environ | {"SLURM_CONF": str(folder / "slurm.conf"), "PLEAT": PLEAT}
    finally:
        run(SLURM_HOST, "stop", folder)
