"""The numbers of interfaces: what `pleat run` stores of complexes, and everything that shows them."""

import json
import subprocess

import gemmi
import h5py
import numpy as np
import pytest
from folding import fold_job
from job import PLEAT, fasta, proteins, texts

CUTOFF = 12
OF_PAIRS = ("iptm", "ipsae", "ipsae_d0chn", "min_pae", "contacts")
CHAINS = {"one": (40,), "two": (31, 45), "tiny": (1, 38), "five": (12, 25, 7, 1, 16)}
SEQUENCES = {name: ":".join(proteins(len(lengths), 60, 60, seed=len(name))[i][:length] for i, length in enumerate(lengths))
             for name, lengths in CHAINS.items()}


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    job = fold_job(tmp_path_factory.mktemp("interfaces"))
    job.input("in.fasta", fasta(SEQUENCES.values(), SEQUENCES))
    job.keys["tasks"]["structure"] |= {"pae_cutoff": CUTOFF, "formats": ["pdb", "cif"]}
    done = job.run("--summary-json", job.folder / "summary.json")
    assert done.returncode == 0, done.stderr
    job.stdout = done.stdout
    return job


def interfaces(file):
    """id -> every number of its interfaces: of the complex, [C] and [C, C]."""
    group = file["structures"]
    found = {}
    for name, row in zip(texts(file["records/id"]), file["records/sequence"][:]):
        numbers = {key: group[key][row] for key in ("iptm", "ptm", "ptm_residues")}
        begin, end = group["chains/offsets"][row : row + 2]
        numbers |= {f"chain_{key}": group[f"chains/{key}"][begin:end] for key in ("ptm", "mean_plddt", "length")}
        first, last = group["chain_pairs/offsets"][row : row + 2]
        numbers |= {f"pair_{key}": group[f"chain_pairs/{key}"][first:last].reshape(end - begin, end - begin)
                    for key in OF_PAIRS}
        found[name] = numbers
    return found


def expected_of_pair(pae, alphas, there, a, b):
    """What follows from the PAE and the positions, by the definitions: chains are slices of residues."""
    errors = pae[a, b]
    def d0(n): return np.maximum(1, 1.24 * np.cbrt(np.maximum(27, n) - 15) - 1.8)
    def best(scale):
        below = errors < CUTOFF
        sums = np.where(below, 1 / (1 + (errors / scale) ** 2), 0).sum(1)
        return (sums / np.maximum(1, below.sum(1))).max()
    count = (errors < CUTOFF).sum(1, keepdims=True)
    distances = np.linalg.norm(alphas[a][:, None] - alphas[b], axis=-1)
    return {"ipsae": best(d0(count)), "ipsae_d0chn": best(d0(errors.shape[0] + errors.shape[1])),
            "min_pae": errors.min(), "contacts": ((distances <= 8) & there[a][:, None] & there[b]).sum()}


def test_what_is_stored(job):
    with job.open() as file:
        found = interfaces(file)
        structures = file["structures"]
        offsets, pae_offsets = file["sequences/offsets"][:], structures["pae_offsets"][:]
        assert structures["iptm"].dtype == structures["chain_pairs/ipsae"].dtype == np.float32
        assert list(structures["chain_pairs/offsets"]) == [0, 1, 5, 9, 34]
        some_below = 0
        for row, (name, lengths) in enumerate(CHAINS.items()):
            numbers = found[name]
            assert list(numbers["chain_length"]) == list(lengths)
            own = slice(offsets[row], offsets[row + 1])
            mask, plddt = structures["atom_mask"][own] == 1, structures["plddt"][own].astype(np.float64)
            pae = structures["pae"][pae_offsets[row] : pae_offsets[row + 1]].astype(np.float64).reshape(len(mask), -1)
            bounds = np.cumsum([0, *lengths])
            slices = [slice(begin, end) for begin, end in zip(bounds, bounds[1:])]
            for c, chain in enumerate(slices):
                assert numbers["chain_mean_plddt"][c] == pytest.approx(plddt[chain][mask[chain]].mean(), abs=1e-3)
            assert all(np.isnan(numbers[f"pair_{key}"]).diagonal().all() for key in OF_PAIRS)
            if name == "one":
                assert np.isnan(numbers["iptm"])
                assert numbers["ptm_residues"] == numbers["chain_ptm"][0] == numbers["ptm"]
                continue
            assert 0 < numbers["iptm"] < 1 and 0 < numbers["ptm_residues"] < 1 and (numbers["chain_ptm"] > 0).all()
            for a, first in enumerate(slices):
                for b, second in enumerate(slices):
                    if a == b:
                        continue
                    assert 0 < numbers["pair_iptm"][a, b] < 1
                    wanted = expected_of_pair(pae, structures["positions"][own][:, 1].astype(np.float64), mask[:, 1], first, second)
                    some_below += wanted["ipsae"] > 0
                    for key, value in wanted.items():
                        assert numbers[f"pair_{key}"][a, b] == pytest.approx(value, abs=1e-4), (name, key, a, b)
        assert some_below > 0
        # Of two chains the whole is the pair, seen from the better side.
        two = found["two"]
        assert two["iptm"] == pytest.approx(np.nanmax(two["pair_iptm"]), abs=1e-6)


def test_neither_pae_nor_neighbours_matter(job, tmp_path):
    with job.open() as file:
        usual = interfaces(file)["two"]
    other = fold_job(tmp_path)
    other.input("two.fasta", fasta([SEQUENCES["two"]], ["two"]))
    other.keys["tasks"]["structure"] |= {"pae_cutoff": CUTOFF, "pae": False}
    with other.compute() as file:
        for key, values in interfaces(file)["two"].items():
            np.testing.assert_array_equal(values, usual[key], err_msg=key)


def test_without_them_nothing_else_changes(job, tmp_path):
    other = fold_job(tmp_path)
    other.input("in.fasta", fasta(SEQUENCES.values(), SEQUENCES))
    other.keys["tasks"]["structure"]["interfaces"] = False
    with other.compute() as file, job.open() as usual:
        assert not {"iptm", "ptm_residues", "chains", "chain_pairs"} & set(file["structures"])
        for name, values in file["structures"].items():
            np.testing.assert_array_equal(values[:], usual["structures"][name][:], err_msg=name)
    shown = subprocess.run([PLEAT, "inspect", other.output, "--records", "4"], capture_output=True, text=True, check=True)
    assert "pTM" in shown.stdout and "ipTM" not in shown.stdout
    done = subprocess.run([PLEAT, "verify", other.output], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_they_survive_shards_and_verify(job):
    with job.open() as file:
        whole = interfaces(file)
    for part in ("1/2", "2/2"):
        done = job.run("--output", job.folder / "parts.h5", "--shard", part)
        assert done.returncode == 0, done.stderr
    done = job.pleat("merge", "--shards", "2", "-o", job.folder / "parts.h5")
    assert done.returncode == 0, done.stderr
    assert job.pleat("verify", job.folder / "parts.h5").returncode == 0
    with h5py.File(job.folder / "parts.h5") as file:
        for name, numbers in interfaces(file).items():
            for key, values in numbers.items():
                np.testing.assert_array_equal(values, whole[name][key], err_msg=key)
    with h5py.File(job.folder / "parts.h5", "r+") as file:
        file["structures/iptm"][1] = 1.5
    done = job.pleat("verify", job.folder / "parts.h5")
    assert done.returncode == 65 and "/structures/iptm" in done.stdout


def test_inspect_and_summary(job):
    with job.open() as file:
        found = interfaces(file)
    shown = json.loads(job.pleat("inspect", job.output, "--json", "--records", "4").stdout)["first_records"]
    assert "interfaces" not in shown[0]
    for record in shown[1:]:
        numbers = found[record["id"]]
        assert record["interfaces"]["iptm"] == pytest.approx(numbers["iptm"], abs=1e-6)
        ipsae = np.array(record["interfaces"]["ipsae"], float)  # null is NaN
        np.testing.assert_allclose(ipsae, numbers["pair_ipsae"], atol=1e-6)
    assert f"ipTM {found['two']['iptm']:.2f}" in job.pleat("inspect", job.output, "--records", "4").stdout
    rows = [line.split("\t") for line in job.pleat("inspect", job.output, "--table", "all").stdout.splitlines()]
    assert rows[0][-1] == "iptm" and [row[-1] for row in rows[1:]] == [
        "", *(f"{found[name]['iptm']:.3f}" for name in ("two", "tiny", "five"))]
    summary = json.loads((job.folder / "summary.json").read_text())
    best = max(("two", "tiny", "five"), key=lambda name: found[name]["iptm"])
    assert (summary["complexes"], summary["best_complex"]) == (3, best)
    assert summary["best_iptm"] == pytest.approx(found[best]["iptm"], abs=1e-6)
    assert f"3 complexes, ipTM {summary['mean_iptm']:.2f} on the average, the best {summary['best_iptm']:.2f} of {best}" in job.stdout


def test_compare(job, tmp_path):
    other = tmp_path / "other.h5"
    other.write_bytes(job.output.read_bytes())
    with h5py.File(other, "r+") as file:
        file["structures/iptm"][1] -= np.float32(0.125)
    done = job.pleat("compare", job.output, other, "--json", "--limit", "iptm=0.1")
    summary = json.loads(done.stdout)["summary"]["iptm"]
    assert done.returncode == 65
    assert (summary["records"], summary["worst_id"], summary["beyond"]) == (3, "two", 1)  # one chain has none
    assert summary["worst"] == pytest.approx(0.125, abs=1e-6)


def test_structure_files(job):
    with job.open() as file:
        found = interfaces(file)
    folder = job.folder / "out.structures"
    remarks = [line[11:].rstrip() for line in (folder / "two.pdb").read_text().splitlines() if line.startswith("REMARK   6")]
    two = found["two"]
    assert f"IPTM: {two['iptm']:.4f}" in remarks
    assert f"CHAIN B: PTM {two['chain_ptm'][1]:.4f} MEAN PLDDT {two['chain_mean_plddt'][1]:.2f}" in remarks
    assert (f"CHAINS B A: IPTM {two['pair_iptm'][1, 0]:.4f} IPSAE {two['pair_ipsae'][1, 0]:.4f} "
            f"MIN PAE {two['pair_min_pae'][1, 0]:.2f} CONTACTS {two['pair_contacts'][1, 0]:.0f}") in remarks
    assert "IPTM" not in (folder / "one.pdb").read_text()
    for name in ("two", "five"):
        block = gemmi.cif.read(str(folder / f"{name}.cif")).sole_block()
        metrics = {row[0]: gemmi.cif.as_string(row[1]) for row in block.find("_ma_qa_metric.", ["id", "name"])}
        overall = {metrics[row[0]]: float(row[1]) for row in block.find("_ma_qa_metric_global.", ["metric_id", "metric_value"])}
        assert overall["ipTM"] == pytest.approx(found[name]["iptm"], abs=1e-4)
        chains = {row[0]: row[1] for row in block.find("_ma_entity_instance_feature.", ["feature_id", "label_asym_id"])}
        pairs = {(metrics[row[2]], chains[row[0]], chains[row[1]]): float(row[3]) for row in block.find(
            "_ma_qa_metric_feature_pairwise.", ["feature_id_1", "feature_id_2", "metric_id", "metric_value"])}
        count = len(CHAINS[name])
        assert len(pairs) == 5 * count * (count - 1)
        for metric, key in (("ipSAE", "ipsae"), ("pair ipTM", "iptm"), ("contacts", "contacts")):
            assert pairs[metric, "B", "A"] == pytest.approx(found[name][f"pair_{key}"][1, 0], abs=1e-4)
    assert "feature" not in (folder / "one.cif").read_text()
    index = [line.split("\t") for line in (folder / "index.tsv").read_text().splitlines()]
    iptm = index[0].index("iptm")
    assert {row[1]: row[iptm] for row in index[1:]} == {
        "one": "", **{name: f"{found[name]['iptm']:.4f}" for name in ("two", "tiny", "five")}}
    # An export afterwards gives the same bytes.
    for format in ("pdb", "cif"):
        done = job.pleat("export", job.output, "--format", format, "--output", job.folder / format)
        assert done.returncode == 0, done.stderr
        for name in CHAINS:
            assert (job.folder / format / f"{name}.{format}").read_bytes() == (folder / f"{name}.{format}").read_bytes()


def test_nothing_is_below_a_cutoff_of_zero(job, tmp_path):
    with job.open() as file:
        usual = interfaces(file)["two"]
    other = fold_job(tmp_path)
    other.input("two.fasta", fasta([SEQUENCES["two"]], ["two"]))
    other.keys["tasks"]["structure"]["pae_cutoff"] = 0
    with other.compute() as file:
        numbers = interfaces(file)["two"]
    assert numbers["pair_ipsae"][0, 1] == 0 == numbers["pair_ipsae_d0chn"][1, 0]
    assert numbers["iptm"] == usual["iptm"]
    other.refused(78, "pae_cutoff", arguments=("--set", "tasks.structure.pae_cutoff=-1", "--overwrite"))
