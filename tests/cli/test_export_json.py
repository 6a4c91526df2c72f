"""`pleat export --format json`: confidences as AlphaFold 3 writes them."""

import json

import h5py
import numpy as np
import pytest
from folding import fold_job
from job import fasta, structures
from program import export, pleat

SEQUENCES = {"x": "MKTAYIAKQRQISFVK:GGAVLXPWKE", "x_summary": "MKTAYIAKQRQ", "lost": "XXX"}


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    job = fold_job(tmp_path_factory.mktemp("json"))
    job.input("in.fasta", fasta(SEQUENCES.values(), SEQUENCES) + ">bad\nMK-\n")
    assert job.run("--fail-on", "none").returncode == 0
    return job


def test_files(job, tmp_path):
    done = export(job.output, "json", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"index.tsv", "x_model.cif", "x_confidences.json", "x_summary_confidences.json",
                     "x_summary__model.cif", "x_summary__confidences.json", "x_summary__summary_confidences.json"}
    assert export(job.output, "json", tmp_path / "out").returncode == 73
    assert export(job.output, "cif", tmp_path / "cif").returncode == 0
    assert (tmp_path / "cif/x.cif").read_bytes() == (tmp_path / "out/x_model.cif").read_bytes()
    assert export(job.output, "json", tmp_path / "x.tar.gz", "--id", "x").returncode == 0


def test_confidences(job, tmp_path):
    assert export(job.output, "json", tmp_path / "out", "--id", "x").returncode == 0
    found = json.loads((tmp_path / "out/x_confidences.json").read_text())
    with job.open() as file:
        expected = structures(file)["x"]
    tokens = expected["atom_mask"].any(axis=1)
    assert tokens.sum() == len(tokens) - 1  # X is none
    assert found["token_chain_ids"] == ["A"] * 16 + ["B"] * 9
    assert found["token_res_ids"] == list(expected["residue_number"][tokens])
    np.testing.assert_array_equal(np.array(found["pae"], np.float32), expected["pae"][np.ix_(tokens, tokens)])
    atoms = expected["atom_mask"] == 1
    np.testing.assert_allclose(found["atom_plddts"], expected["plddt"][atoms], atol=0.006)
    assert found["atom_chain_ids"] == ["AB"[chain] for chain in np.repeat(expected["chain"], atoms.sum(axis=1))]


def test_summary(job, tmp_path):
    assert export(job.output, "json", tmp_path / "out").returncode == 0
    found = json.loads((tmp_path / "out/x_summary_confidences.json").read_text())
    with job.open() as file:
        group = file["structures"]
        pae = structures(file)["x"]["pae"]
        pairs = group["chain_pairs/iptm"][:4].reshape(2, 2)
        assert found["iptm"] == pytest.approx(group["iptm"][0], abs=1e-6)
        assert found["ptm"] == pytest.approx(group["ptm_residues"][0], abs=1e-6)
        assert found["chain_ptm"] == pytest.approx(list(group["chains/ptm"][:2]), abs=1e-6)
    best = np.nanmax(pairs)
    assert found["chain_iptm"] == pytest.approx([best, best], abs=1e-6)
    assert found["chain_pair_iptm"] == [pytest.approx([found["chain_ptm"][0], best], abs=1e-6),
                                        pytest.approx([best, found["chain_ptm"][1]], abs=1e-6)]
    assert found["chain_pair_ipsae"][0][0] is None
    least = [[pae[:16, :16].min(), pae[:16, 16:].min()], [pae[16:, :16].min(), pae[16:, 16:].min()]]
    np.testing.assert_allclose(found["chain_pair_pae_min"], least, rtol=1e-6)
    single = json.loads((tmp_path / "out/x_summary__summary_confidences.json").read_text())
    assert single["iptm"] is None and single["chain_iptm"] == [None]


def test_what_cannot_be(job, tmp_path):
    for output in ("-", tmp_path / "x.json"):
        done = export(job.output, "json", output)
        assert done.returncode == 64 and "three files" in done.stderr
    with h5py.File(tmp_path / "without.h5", "w") as file, job.open() as source:
        for name in source:
            source.copy(name, file)
        for name, value in source.attrs.items():
            file.attrs[name] = value
        del file["structures/pae"], file["structures/pae_offsets"]
    done = pleat("export", tmp_path / "without.h5", "--format", "json", "--output", tmp_path / "out")
    assert done.returncode == 64 and "PAE" in done.stderr
