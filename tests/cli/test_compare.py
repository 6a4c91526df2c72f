"""`pleat compare`: files written by plain h5py, and what NumPy says of them."""

import json

import numpy as np
import pytest
from embedding_results import Embeddings
from job import REPOSITORY, Job, fasta, proteins
from program import pleat
from structure_results import Results


def compare(*arguments):
    return pleat("compare", *arguments)


def compared(*arguments, status=0):
    done = compare(*arguments, "--json")
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


def embeddings(seed):
    made = Embeddings(seed=seed)
    for name, text in (("one", "MKV"), ("two", "ACDEFG"), ("dimer", "MKV:AA")):
        made.add(name, text)
    return made


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two sets of vectors near to one another, and their files."""
    folder = tmp_path_factory.mktemp("compare")
    a, b = embeddings(1), embeddings(2)
    for of_a, of_b in zip(a.vectors, b.vectors):
        for kind, layers in of_b.items():
            for layer in layers:
                layers[layer] = of_a[kind][layer] + layers[layer] * np.float32(0.01)
    return a, b, a.write(folder / "a.h5"), b.write(folder / "b.h5")


def test_embeddings_as_numpy_has_them(pair):
    a, b, file_a, file_b = pair
    found = compared(file_a, file_b)
    assert found["matched"] == 3 and found["unmatched"] == [] and found["good"]
    for row, record in enumerate(found["records"]):
        for kind in ("mean", "bos", "per_residue"):
            for layer in (0, 6):
                x = np.atleast_2d(a.vectors[row][kind][layer]).astype(np.float64)
                y = np.atleast_2d(b.vectors[row][kind][layer]).astype(np.float64)
                cosine = (x * y).sum(1) / np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1)
                name = f"layer_{layer:02}/{kind}"
                assert record[f"{name} cosine"] == pytest.approx(cosine.min(), abs=1e-12)
                error = np.linalg.norm(y - x) / np.linalg.norm(x)
                assert record[f"{name} relative_error"] == pytest.approx(error, rel=1e-9)
    summary = found["summary"]["layer_06/mean relative_error"]
    errors = {record["id"]: record["layer_06/mean relative_error"] for record in found["records"]}
    assert summary["mean"] == pytest.approx(np.mean(list(errors.values())))
    assert summary["worst_id"] == max(errors, key=errors.get) and summary["worst"] == max(errors.values())


def test_limits(pair):
    _, _, file_a, file_b = pair
    assert compared(file_a, file_b, "--limit", "cosine=0.99", "--limit", "relative_error=0.1")["good"]
    found = compared(file_a, file_b, "--limit", "relative_error=1e-6", status=65)
    assert not found["good"] and found["summary"]["layer_00/bos relative_error"]["beyond"] == 3
    assert "beyond the limit" in compare(file_a, file_b, "--limit", "cosine=1").stdout
    for bad in ("cosine", "cosine=", "cosine=x", "sine=1"):
        assert compare(file_a, file_b, "--limit", bad).returncode == 64
    assert compare(file_a, file_a, "--limit", "cosine=0.999999", "--limit", "relative_error=0").returncode == 0


def test_records_without_a_counterpart(pair, tmp_path):
    a, _, file_a, _ = pair
    other = Embeddings(seed=3)
    other.add("one", "MKV")
    other.add("two", "ACDEFGH")
    other.record("dimer", -1, 1, "residue 3 is '7'")
    other.add("new", "WWWW")
    file = other.write(tmp_path / "other.h5")
    found = compared(file_a, file)
    assert {record["id"]: record["reason"] for record in found["unmatched"]} == {
        "two": "its sequences differ", "dimer": "it is not ok in B", "new": "it is not in A"}
    assert compare(file_a, file, "--all").returncode == 65
    renamed = Embeddings(seed=1)
    for name, text in (("x", "ACDEFG"), ("y", "MKVAA")):
        renamed.add(name, text)
    file = renamed.write(tmp_path / "renamed.h5")
    assert compare(file_a, file).returncode == 65  # no record in common
    assert [record["id"] for record in compared(file_a, file, "--by", "sequence")["records"]] == ["two"]


def superposed_rmsd(a, b):
    a, b = a - a.mean(0), b - b.mean(0)
    u, s, vt = np.linalg.svd(a.T @ b)
    s[2] *= np.sign(np.linalg.det(u @ vt))
    return np.sqrt(((a**2).sum() + (b**2).sum() - 2 * s.sum()) / len(a))


def lddt(a, b):
    pairs = np.triu_indices(len(a), 1)
    there = np.linalg.norm(a[:, None] - a, axis=-1)[pairs]
    change = np.abs(np.linalg.norm(b[:, None] - b, axis=-1)[pairs] - there)[there < 15]
    return np.mean([(change < threshold).mean() for threshold in (0.5, 1, 2, 4)])


def test_structures_as_numpy_has_them(tmp_path):
    made, changed = Results(), Results()
    for results in (made, changed):
        results.add("chain", "ARNDCQEGHILKMFPSTWYVX", scale=8.0)
        results.add("dimer", "GIVEQCC:FVNQHLX", scale=8.0)
    random = np.random.default_rng(5)
    for structure in changed.structures:
        structure["positions"] += random.normal(scale=0.4, size=structure["positions"].shape).astype(np.float32)
        structure["positions"] = structure["positions"] @ np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]], np.float32)
        structure["positions"] *= structure["mask"][:, :, None]
        structure["plddt"] = (structure["plddt"] / 2).astype(np.float16)
        structure["ptm"] += 0.125
    found = compared(made.write(tmp_path / "a.h5"), changed.write(tmp_path / "b.h5"))
    for record, a, b in zip(found["records"], made.structures, changed.structures):
        there = a["mask"][:, 1] == 1
        x, y = (s["positions"][there][:, 1].astype(np.float64) for s in (a, b))
        assert record["rmsd"] == pytest.approx(superposed_rmsd(x, y), abs=1e-5)
        assert record["lddt"] == pytest.approx(lddt(x, y), abs=1e-9)
        difference = np.abs(a["plddt"].astype(float) - b["plddt"].astype(float))[a["mask"] == 1]
        assert record["plddt"] == pytest.approx(difference.mean(), abs=1e-9)
        assert record["ptm"] == pytest.approx(0.125, abs=1e-6)


def test_what_is_no_result_file(pair, tmp_path):
    _, _, file_a, _ = pair
    assert compare(file_a, tmp_path / "nothing.h5").returncode == 66
    (tmp_path / "text.h5").write_text("x")
    assert compare(file_a, tmp_path / "text.h5").returncode == 65


def test_scores_and_contacts_as_numpy_has_them(tmp_path):
    made = []
    for name, model in (("a", "head16"), ("b", "head24_odd_depth")):
        (tmp_path / name).mkdir()
        job = Job(tmp_path / name, REPOSITORY / "tests/data/esm2" / model)
        job.input("in.fasta", fasta(proteins(3, 20, 40)))
        table = [("p0", 1), ("p0", 3), ("p1", 2)] if name == "a" else [("p1", 2), ("p0", 3), ("p0", 4)]
        sequences = proteins(3, 20, 40)
        rows = [f"{protein},{sequences[int(protein[1])][place]}{place + 1}W" for protein, place in table]
        job.place("v.csv", "\n".join(["id,variants", *rows]) + "\n")
        job.keys["tasks"] = {"scoring": {"mode": "one_pass", "variants": "v.csv"}, "contacts": True}
        job.compute().close()
        made.append(job)
    found = compared(made[0].output, made[1].output)
    with made[0].open() as a, made[1].open() as b:
        offsets, pairs = a["sequences/offsets"][:], a["contacts/offsets"][:]
        for row, record in enumerate(found["records"]):
            for name, path, at in (("log_probability", "scores/log_probability", offsets),
                                   ("contacts", "contacts/values", pairs)):
                x, y = (file[path][at[row] : at[row + 1]].astype(np.float64) for file in (a, b))
                assert record[name] == pytest.approx(np.abs(y - x).mean(), rel=1e-6)
            x, y = (float(file["scores/pseudo_perplexity"][row]) for file in (a, b))
            assert record["perplexity"] == pytest.approx(abs(y - x) / x, rel=1e-6)
        scores_a, scores_b = (dict(zip(file["scores/table/variant"].asstr()[:][file["scores/variants/row"][:]],
                                       file["scores/variants/score"][:])) for file in (a, b))
    shared = scores_a.keys() & scores_b.keys()
    assert len(shared) == 2  # p0 and p1 have one each
    by_record = [record["variants"] for record in found["records"]]
    assert sorted(by_record[:2]) == pytest.approx(sorted(abs(float(scores_b[v]) - float(scores_a[v])) for v in shared))
    assert by_record[2] is None
    assert found["summary"]["variants"]["records"] == 2
    same = compared(made[0].output, made[0].output, "--limit", "variants=0", "--limit", "contacts=0",
                    "--limit", "perplexity=0", "--limit", "log_probability=0")
    assert same["good"]
    assert compare(made[0].output, made[1].output, "--limit", "perplexity=0").returncode == 65


@pytest.mark.parametrize("limit", ["cosine=nan", "cosine=inf", "cosine=1e999", "cosine=", "nothing=1", "cosine=1x"])
def test_limits_that_are_no_numbers(pair, limit):
    assert compare(*pair[2:], "--limit", limit).returncode == 64


def test_a_limit_that_nothing_is_held_against(pair):
    done = compare(*pair[2:], "--limit", "rmsd=1")
    assert done.returncode == 65 and "rmsd: no record of both files has it" in done.stdout
    assert compared(*pair[2:], "--limit", "rmsd=1", "--limit", "cosine=-1", status=65)["never_compared"] == ["rmsd"]
