"""`pleat export --format h5|skbio|npz|npy|csv`, read back by NumPy and h5py."""

import csv
import hashlib

import h5py
import numpy as np
import pytest
from embedding_results import Embeddings
from program import export, pleat_with_peak

NAMES = ["sp|P1|ONE", "a/b", "a/b", "a_b", ".", "müller", "two words, and a comma", "dimer"]


def good(*arguments):
    done = export(*arguments)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module", params=[np.float32, np.float16], ids=["float32", "float16"])
def made(request):
    results = Embeddings(dtype=request.param)
    for name, text in zip(NAMES, ["MKV", "ACDEFG", "ACDEFGH", "WWW", "K", "GG", "LLLL", "MKV:AA:G"]):
        results.add(name, text)
    results.record("again", 0)  # the same sequence as the first
    results.record("refused", -1, 1, "residue 3 is '7'")
    results.record("failed", results.sequence("MMMM"), 2, "out of memory")
    return results


@pytest.fixture(scope="module")
def file(made, tmp_path_factory):
    return made.write(tmp_path_factory.mktemp("vectors") / "results.h5")


def expected(made, kind, layer=6):
    """(id, array) of every record that is ok."""
    return [(name, made.vectors[row][kind][layer]) for name, row, status, _ in made.records if status == 0]


def same(actual, wanted):
    assert actual.dtype == wanted.dtype and actual.shape == wanted.shape
    assert actual.tobytes() == wanted.tobytes()


DATASETS = ["sp|P1|ONE", "a_b", "a_b_2", "a_b_3", "_", "müller", "two words, and a comma", "dimer", "again"]


@pytest.mark.parametrize("kind", ["mean", "bos", "per_residue"])
def test_h5(made, file, tmp_path, kind):
    out = tmp_path / "out.h5"
    done = good(file, "h5", out, "--what", kind)
    assert done.stdout == f"{out}\n" and "2 records left out" in done.stderr
    with h5py.File(out) as found:
        assert set(found) == set(DATASETS)
        assert found.attrs["model_name"] == "esm2_test"
        for name, (identifier, values) in zip(DATASETS, expected(made, kind)):
            same(found[name][:], values)
            assert found[name].attrs["original_id"] == identifier


def test_the_layer_is_the_deepest_or_the_one_asked_for(made, file, tmp_path):
    good(file, "npz", tmp_path / "x.npz", "--layer", 0)
    with np.load(tmp_path / "x.npz") as found:
        same(found["dimer"], dict(expected(made, "mean", 0))["dimer"])
    done = export(file, "npz", tmp_path / "y.npz", "--layer", 3)
    assert done.returncode == 64 and "0, 6" in done.stderr and not (tmp_path / "y.npz").exists()


@pytest.mark.parametrize("kind", ["mean", "per_residue"])
def test_npz(made, file, tmp_path, kind):
    good(file, "npz", tmp_path / "out.npz", "--what", kind)
    with np.load(tmp_path / "out.npz") as found:
        assert found.files == DATASETS
        for name, (_, values) in zip(DATASETS, expected(made, kind)):
            same(found[name], values)


@pytest.mark.parametrize("kind", ["mean", "per_residue"])
def test_npy(made, file, tmp_path, kind):
    done = good(file, "npy", tmp_path / "out", "--what", kind)
    assert done.stdout == f"{tmp_path}/out/embeddings.npy\n"
    wanted = expected(made, kind)
    assert (tmp_path / "out/ids.txt").read_text().splitlines() == [name for name, _ in wanted]
    vectors = np.load(tmp_path / "out/embeddings.npy", mmap_mode="r")
    same(np.array(vectors), np.concatenate([np.atleast_2d(values) for _, values in wanted]))
    if kind == "per_residue":
        offsets = np.load(tmp_path / "out/offsets.npy")
        assert list(np.diff(offsets)) == [len(values) for _, values in wanted] and offsets[0] == 0
    assert export(file, "npy", tmp_path / "out", "--what", kind).returncode == 73
    good(file, "npy", tmp_path / "out", "--what", kind, "--overwrite")


def test_csv(made, file, tmp_path):
    good(file, "csv", tmp_path / "out.csv")
    with open(tmp_path / "out.csv", newline="", encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    for row, (name, values) in zip(rows, expected(made, "mean"), strict=True):
        assert row["id"] == name
        same(np.array([row[f"dim_{i}"] for i in range(16)], np.float32).astype(made.dtype), values)
    assert export(file, "csv", "-").stdout == (tmp_path / "out.csv").read_text()


def test_csv_of_residues_says_where_they_are(made, file, tmp_path):
    good(file, "csv", tmp_path / "out.csv", "--what", "per_residue", "--id", "dimer")
    with open(tmp_path / "out.csv", newline="") as table:
        rows = list(csv.DictReader(table))
    places = [(row["chain"], row["position"], row["residue"]) for row in rows]
    assert places == [("A", "1", "M"), ("A", "2", "K"), ("A", "3", "V"), ("B", "1", "A"), ("B", "2", "A"),
                      ("C", "1", "G")]
    value = np.float32(rows[5]["dim_3"]).astype(made.dtype)
    assert value == dict(expected(made, "per_residue"))["dimer"][5, 3]


@pytest.mark.parametrize("format", ["h5", "npz", "csv"])
def test_by_sha256_each_sequence_comes_once(made, file, tmp_path, format):
    out = tmp_path / f"out.{format}"
    good(file, format, out, "--key", "sha256")
    wanted = [hashlib.sha256(":".join(chains).encode()).hexdigest() for chains in made.sequences[:8]]
    if format == "h5":
        with h5py.File(out) as found:
            assert set(found) == set(wanted)
            assert found[wanted[0]].attrs["original_id"] == NAMES[0]
    elif format == "npz":
        with np.load(out) as found:
            assert found.files == wanted
    else:
        with open(out, newline="") as table:
            assert [row["sha256"] for row in csv.DictReader(table)] == wanted


@pytest.mark.parametrize("kind", ["mean", "per_residue"])
def test_skbio_layout(made, file, tmp_path, kind):
    good(file, "skbio", tmp_path / "out.h5", "--what", kind)
    wanted = expected(made, kind)
    with h5py.File(tmp_path / "out.h5") as found:
        same(found["embedding"][:], np.concatenate([np.atleast_2d(v) for _, v in wanted]).astype(np.float32))
        letters = ["".join(made.sequences[row]) for _, row, status, _ in made.records if status == 0]
        assert found["id"][:].tobytes().decode() == "".join(letters)
        assert list(found["idptr"]) == list(np.cumsum(list(map(len, letters))))
        if kind == "mean":
            assert list(found["embedding_ptr"]) == list(range(1, 10))
        assert found.attrs["dim"] == 16 and found.attrs["dtype"] == "float32"


@pytest.mark.parametrize("format,ending", [("h5", ".h5"), ("skbio", ".h5"), ("npz", ".npz"), ("csv", ".csv")])
def test_where_they_go(file, tmp_path, format, ending):
    out = tmp_path / f"x{ending}"
    good(file, format, out)
    before = out.read_bytes()
    assert export(file, format, out).returncode == 73 and out.read_bytes() == before
    good(file, format, out, "--overwrite")
    assert out.read_bytes() == before  # the same bytes every time
    assert good(file, format, tmp_path / "folder").stdout == f"{tmp_path}/folder/embeddings{ending}\n"
    for bad in ("x.tar.gz", "x.zip", "x.pdb", *([] if format == "csv" else ["-"])):
        assert export(file, format, tmp_path / bad if bad != "-" else "-").returncode == 64
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", f"x{ending}"]


def test_what_is_not_there(made, file, tmp_path):
    bare = made.write(tmp_path / "bare.h5", kinds=("mean",))
    done = export(bare, "h5", tmp_path / "x.h5", "--what", "per_residue")
    assert done.returncode == 64 and "per_residue" in done.stderr
    assert export(file, "h5", tmp_path / "x.h5", "--id", "nobody").returncode == 65
    assert export(file, "h5", tmp_path / "x.h5", "--id", "failed", "--id", "dimer").returncode == 65
    with h5py.File(tmp_path / "x.h5") as found:
        assert set(found) == {"dimer"}
    assert export(file, "h5", tmp_path / "y.h5", "--fail-on", "any").returncode == 65


# Each format by itself, as a process whose memory can be told.
@pytest.mark.memory
@pytest.mark.parametrize("format,output", [("h5", "out.h5"), ("skbio", "out.h5"), ("npz", "out.npz"), ("npy", "out"),
                                           ("csv", "out.csv")])
def test_100_000_records_take_little_memory(many, tmp_path, format, output):
    _, peak = pleat_with_peak("export", many, "--format", format, "--output", tmp_path / output)
    print(f"{format}: {peak / 1e6:.0f} MB")
    assert peak < 500e6


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """100,000 records of their own sequences; 320 MB of vectors would be kept by a program that does not stream."""
    count, width = 100_000, 400
    path = tmp_path_factory.mktemp("many") / "many.h5"
    results = Embeddings(width=width)
    results.add("p", "M")
    results.write(path, kinds=("mean",))
    letters = np.frombuffer(b"ACDEFGHIKLMNPQRSTVWY", np.uint8)
    residues = letters[np.random.default_rng(1).integers(0, 20, count * 5)]
    with h5py.File(path, "r+") as file:
        replaced = {"records/id": np.array([f"protein_{i}" for i in range(count)], object),
                    "records/sequence": np.arange(count, dtype=np.int64), "records/status": np.zeros(count, np.uint8),
                    "sequences/residues": residues, "sequences/chain": np.zeros(count * 5, np.uint16),
                    "sequences/offsets": np.arange(count + 1, dtype=np.int64) * 5}
        for name in ("description", "error_code", "message"):
            replaced[f"records/{name}"] = np.full(count, "", object)
        for name, values in replaced.items():
            del file[name]
            options = {"dtype": h5py.string_dtype("utf-8")} if values.dtype == object else {}
            file.create_dataset(name, data=values, **options)
        for layer in (0, 6):
            del file[f"embeddings/layer_{layer:02}/mean"]
        shape = (count, width)
        vectors = file.create_dataset("embeddings/layer_06/mean", shape, np.float32, chunks=(256, width))
        for first in range(0, count, 10_000):
            vectors[first : first + 10_000] = np.random.default_rng(first).random((10_000, width), np.float32)
    return path


def test_a_zip_refuses_names_that_it_cannot_hold(tmp_path):
    for length, status in ((65_531, 0), (65_532, 64), (70_000, 64)):
        made = Embeddings()
        made.add("x" * length, "MKV")
        file = made.write(tmp_path / "long.h5")
        output = tmp_path / f"{length}.npz"
        done = export(file, "npz", output)
        assert done.returncode == status, done.stderr
        if status == 0:
            with np.load(output) as found:
                assert [len(name) for name in found] == [length]
        else:
            assert "--key sha256" in done.stderr and not list(tmp_path.glob(f"{length}*"))
