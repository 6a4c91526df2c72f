import pytest
from engines import PLEAT, data_of, proteins, fasta, real_proteins, run, write_job


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
