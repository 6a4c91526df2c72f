import hashlib
import os
import subprocess

import pytest
from engines import PLEAT, REPOSITORY, data_of, fasta, proteins, real_proteins, run, write_job

SLURM_HOST = REPOSITORY / "tests/workflows/slurm_host"
SAME_BITS = []  # rows of the table of ways to run pleat


@pytest.fixture(scope="session")
def expected(tmp_path_factory):
    """What plain `pleat run` makes of 200 real proteins."""
    folder = write_job(tmp_path_factory.mktemp("plain"), real_proteins(200), contacts="true")
    run(PLEAT, "run", folder / "manifest.yaml", "--progress", "none")
    data = data_of(folder / "results.h5")
    SAME_BITS.append(("plain `pleat run`", digest(data)))
    return data


@pytest.fixture
def same_bits(expected):
    """Checks a result file of those 200 proteins that was made in another way: equal bit for bit."""

    def check(way, file):
        data = data_of(file)
        SAME_BITS.append((way, digest(data)))
        assert data.keys() == expected.keys()
        assert [path for path in data if data[path] != expected[path]] == []

    return check


def digest(data):
    """Of all datasets and their attributes, compressed as they lie in the file."""
    whole = hashlib.sha256()
    for path in sorted(data):
        whole.update(repr((path, data[path])).encode())
    return whole.hexdigest()[:16]


def pytest_terminal_summary(terminalreporter):
    if not SAME_BITS:
        return
    terminalreporter.section("200 real proteins: SHA-256 of all datasets of the result file")
    for way, found in SAME_BITS:
        terminalreporter.line(f"| {way} | `{found}` |")


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


@pytest.fixture(scope="session")
def apptainer_image(tmp_path_factory):
    """The image as a file for Apptainer, built by it from what `scripts/image --output` wrote."""
    # Apptainer runs as an ordinary user, who must come this far.
    folder = tmp_path_factory.mktemp("apptainer")
    for above in (folder, tmp_path_factory.getbasetemp()):
        above.chmod(0o755)
    archive = folder / "pleat-cpu.tar"
    with open(archive, "wb") as file:
        subprocess.run(["gunzip", "-c", os.environ["PLEAT_IMAGE_ARCHIVE"]], stdout=file, check=True)
    image = folder / "pleat-cpu.sif"
    # Its own test is run by a test, as an ordinary user: as root it asks for capabilities that root may not have here.
    build = ["apptainer", "build", "--notest", "--build-arg", f"image={archive}", image]
    run(*build, REPOSITORY / "containers/apptainer.def", env=os.environ | {"APPTAINER_AS_ROOT": "1"})
    archive.unlink()
    return image
