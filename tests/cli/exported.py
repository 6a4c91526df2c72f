"""What the tests of `pleat export --format pdb|cif` share: a result file, and all of it in both formats."""

import csv

import pytest
from program import export
from structure_results import Results

INSULIN = "GIVEQCCTSICSLYQLENYCN:FVNQHLCGSHLVEALYLVCGERGFFYTPKT"


def index_of(folder):
    with open(folder / "index.tsv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def chain_names(count):
    return list("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")[:count]


@pytest.fixture(scope="module")
def made():
    results = Results()
    results.add("all20", "ARNDCQEGHILKMFPSTWYVX", "every residue and an X")
    results.add("insulin", INSULIN, "two chains")
    results.add("trimer", "MKX:MKX:XXGX", "two chains alike, X at the ends")
    return results


@pytest.fixture(scope="module")
def file(made, tmp_path_factory):
    return made.write(tmp_path_factory.mktemp("export") / "results.h5")


@pytest.fixture(scope="module")
def folders(file):
    """format -> a folder with everything in that format."""
    made = {}
    for format in ("pdb", "cif"):
        made[format] = file.parent / format
        done = export(file, format, made[format])
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"{made[format]}/index.tsv\n"
        assert "3 structures written" in done.stderr
    return made
