"""The real mkdssp reads what `pleat export` writes, and finds the same in both formats."""

import subprocess

import numpy as np
import pytest
from structure_results import Results
from test_export import export

# Radius and height in ångström and angle in degrees of an ideal alpha helix's atoms.
HELIX = {"N": (1.55, -0.90, -27.8), "CA": (2.28, 0.0, 0.0), "C": (1.66, 1.10, 26.3), "O": (2.01, 2.28, 22.0),
         "CB": (3.30, -0.60, -18.0)}
RISE, TURN = 1.5, 100.0


def helix(length, shift):
    """[length, 5, 3]"""
    steps = np.arange(length)[:, None]
    radius, height, angle = np.array(list(HELIX.values())).T
    turn = np.radians(angle + TURN * steps)
    xyz = np.stack([radius * np.cos(turn), radius * np.sin(turn), height + RISE * steps], axis=-1)
    return xyz + np.array([shift, 0.0, 0.0])


def dssp(file):
    """Chain, number, residue and secondary structure of every line."""
    done = subprocess.run(["mkdssp", "--output-format", "dssp", file, "/dev/stdout"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.split("  #  RESIDUE", 1)[1].splitlines()[1:]
    return [(line[11], int(line[5:10]), line[13], line[16]) for line in lines if line[13] != "!"]


@pytest.fixture
def file(tmp_path):
    """Two helices, of which the second chain begins with an X that has no atoms."""
    results = Results()
    chains = ["AAEALKAAEALKAAEA", "XAEALKAAEALKAAEA"]
    row = results.add("helices", ":".join(chains), "two helices")
    structure = results.structures[row]
    positions = np.concatenate([helix(16, 0.0), helix(16, 30.0)])
    structure["positions"][:, :5] = positions * structure["mask"][:, :5, None]
    # Side chains behind CB lie far from the backbone and from each other.
    structure["positions"][:, 5:] += 100 * structure["mask"][:, 5:, None]
    return results.write(tmp_path / "x.h5")


def test_mkdssp_finds_the_same_in_pdb_and_mmcif(file, tmp_path):
    found = {}
    for format in ("pdb", "cif"):
        assert export(file, format, tmp_path / f"one.{format}").returncode == 0
        found[format] = dssp(tmp_path / f"one.{format}")
    assert found["cif"] == found["pdb"]
    assert [row[0] for row in found["cif"]] == ["A"] * 16 + ["B"] * 15
    assert [row[1] for row in found["cif"]] == [*range(1, 17), *range(2, 17)]
    assert sum(row[3] == "H" for row in found["cif"]) >= 20
