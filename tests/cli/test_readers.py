"""What `pleat export` writes, read by the programs that it is for. They live in a Python environment of their own."""

import json
import subprocess
from pathlib import Path

import numpy as np
import program
import pytest
from embedding_results import Embeddings
from folding import fold_job
from job import fasta, proteins

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def python():
    """That environment's Python. scripts/test has made it."""
    script = "source scripts/common.sh; source scripts/python_env.sh; readers_env"
    done = subprocess.run(["bash", "-c", script, REPOSITORY / "scripts/test"], cwd=REPOSITORY, capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip()) / "bin/python"


def read(python, script, *arguments):
    done = subprocess.run([python, "-c", script, *map(str, arguments)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def export(*arguments):
    done = program.export(*arguments)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def made():
    results = Embeddings(dtype=np.float16)
    for name, text in {"sp|P69905|HBA_HUMAN": "MVLSPADK", "plain": "GIVEQ", "other": "FVNQHLCGSH"}.items():
        results.add(name, text)
    results.record("refused", -1, 1, "residue 3 is '7'")
    return results


@pytest.fixture(scope="module")
def file(made, tmp_path_factory):
    return made.write(tmp_path_factory.mktemp("readers") / "results.h5")


def test_protspace(python, made, file, tmp_path):
    export(file, "h5", tmp_path / "x.h5")
    script = """
import sys, types, numpy
from importlib.util import find_spec
from pathlib import Path
# Without what the packages above the loader import: a user interface, and the network.
root = find_spec("protspace").submodule_search_locations[0]
for name in ("protspace", "protspace.data", "protspace.data.loaders"):
    folder = Path(root, *name.split(".")[1:])
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [str(folder)]
from protspace.data.loaders.h5 import load_h5, parse_identifier
found = load_h5([Path(sys.argv[1])])
print(found.name, [parse_identifier(header) for header in found.headers])
numpy.save(sys.argv[2], found.data)
"""
    shown = read(python, script, tmp_path / "x.h5", tmp_path / "x.npy")
    assert shown == "esm2_test ['other', 'plain', 'P69905']\n"  # HDF5 lists names in their order
    expected = np.stack([made.vectors[row]["mean"][6] for row in (2, 1, 0)]).astype(np.float32)
    assert np.array_equal(np.load(tmp_path / "x.npy"), expected)


# EAT's own way of reading its lookup set, and what scripts for UniProt's files do.
def test_scripts_of_a_few_lines(python, made, file, tmp_path):
    export(file, "h5", tmp_path / "mean.h5")
    export(file, "h5", tmp_path / "residues.h5", "--what", "per_residue")
    script = """
import sys, h5py, numpy
with h5py.File(sys.argv[1], "r") as file:
    vectors = {key: numpy.array(value) for key, value in file.items()}
with h5py.File(sys.argv[2], "r") as file:
    for accession, embedding in file.items():
        original = embedding.attrs["original_id"]
        print(original, embedding.shape, bool(numpy.all(vectors[original].shape == (16,))))
"""
    shown = read(python, script, tmp_path / "mean.h5", tmp_path / "residues.h5")
    assert shown.splitlines() == ["other (10, 16) True", "plain (5, 16) True", "sp|P69905|HBA_HUMAN (8, 16) True"]


def test_scikit_bio(python, made, file, tmp_path):
    export(file, "skbio", tmp_path / "residues.h5", "--what", "per_residue")
    export(file, "skbio", tmp_path / "mean.h5")
    script = """
import sys, numpy, skbio
from skbio.embedding import ProteinEmbedding, ProteinVector
for file, kind in ((sys.argv[1], ProteinEmbedding), (sys.argv[2], ProteinVector)):
    for i, found in enumerate(skbio.read(file, format="embed", constructor=kind)):
        print(kind.__name__, str(found), found.embedding.shape)
        numpy.save(f"{file}.{i}.npy", found.embedding)
"""
    shown = read(python, script, tmp_path / "residues.h5", tmp_path / "mean.h5").splitlines()
    sequences = ["".join(chains) for chains in made.sequences]
    assert shown == [f"ProteinEmbedding {s} ({len(s)}, 16)" for s in sequences] + [
        f"ProteinVector {s} (1, 16)" for s in sequences]
    for row in range(3):
        for name, kind in (("residues", "per_residue"), ("mean", "mean")):
            found = np.load(tmp_path / f"{name}.h5.{row}.npy")
            assert np.array_equal(found, np.atleast_2d(made.vectors[row][kind][6]).astype(np.float32))


# As docs/results.md says it.
def test_the_way_to_anndata(python, made, file, tmp_path):
    export(file, "npy", tmp_path / "out")
    script = """
import sys, anndata, numpy
ids = open(f"{sys.argv[1]}/ids.txt").read().split("\\n")[:-1]
table = anndata.AnnData(numpy.load(f"{sys.argv[1]}/embeddings.npy").astype("float32"))
table.obs_names = ids
table.write_h5ad(sys.argv[2])
print(list(anndata.read_h5ad(sys.argv[2]).obs_names))
"""
    shown = read(python, script, tmp_path / "out", tmp_path / "x.h5ad")
    assert shown == "['sp|P69905|HBA_HUMAN', 'plain', 'other']\n"


def test_ipsae(python, tmp_path):
    """The published program's numbers, from the files that are made for it, are those in them."""
    job = fold_job(tmp_path)
    chains = [sequence[:length] for sequence, length in zip(proteins(5, 60, 60, seed=5), (31, 45, 38, 12, 1))]
    complexes = {"two": ":".join(chains[:2]), "five": ":".join(chains)}
    job.input("in.fasta", fasta(complexes.values(), complexes))
    job.keys["tasks"]["structure"]["pae_cutoff"] = 12
    job.compute().close()
    folder = tmp_path / "json"
    export(job.output, "json", folder)
    above = 0
    for name in complexes:
        done = subprocess.run([python.with_name("ipsae"), folder / f"{name}_confidences.json", folder / f"{name}_model.cif",
                               "12", "12"], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        summary = json.loads((folder / f"{name}_summary_confidences.json").read_text())
        count = len(summary["chain_ptm"])
        lines = (folder / f"{name}_model_12_12.txt").read_text().splitlines()
        rows = [line.split() for line in lines if " asym " in line]
        assert len(rows) == count * (count - 1)
        for row in rows:
            a, b = ord(row[0]) - ord("A"), ord(row[1]) - ord("A")
            assert float(row[5]) == pytest.approx(summary["chain_pair_ipsae"][a][b], abs=1e-3)
            assert float(row[6]) == pytest.approx(summary["chain_pair_ipsae_d0chn"][a][b], abs=1e-3)
            assert float(row[8]) == pytest.approx(summary["chain_pair_iptm"][a][b], abs=1e-3)  # as it was given
            above += float(row[5]) > 0
    assert above > 2
