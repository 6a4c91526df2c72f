"""The result file as h5py sees it, and what `pleat inspect` and `pleat export` say about it."""

import json
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest
from program import pleat

MODEL = Path(__file__).resolve().parents[2] / "configs/demo/models/esm2-demo"
CONFIG = json.loads((MODEL / "config.json").read_text())
WIDTH = CONFIG["hidden_size"]
LAST = f"/embeddings/layer_{CONFIG['num_hidden_layers']:02d}"

INSULIN = "MALWMRLLPLLALLALWGPDPAAAFVNQHLCGSHLVEALYLVCGERGFFYTPKTRREAEDLQVGQVELGGGPGAGSLQPLALEGSLQKRGIVEQCCTSICSLYQLENYCN"
FASTA = f""">sp|P01308|INS_HUMAN Insulin
{INSULIN}
>one a single residue
M
>wrong has a digit
ACD7EF
>again the same sequence
{INSULIN}
>α-é/../x
ACDEFGHIKL
"""
IDS = ["sp|P01308|INS_HUMAN", "one", "wrong", "again", "α-é/../x"]
LENGTHS = [len(INSULIN), 1, 10]
OFFSETS = [0, *np.cumsum(LENGTHS)]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    (folder / "in.fasta").write_text(FASTA)
    (folder / "manifest.yaml").write_text(
        f"""version: 1
model: {json.dumps(str(MODEL))}
inputs: [in.fasta]
output: out.h5
tasks:
  embeddings: {{layers: [0, -1], per_residue: true, mean: true, bos: true, dtype: float16}}
  logits: true
  contacts: true
""",
        encoding="utf-8",
    )
    made = pleat("run", folder / "manifest.yaml")
    assert made.returncode == 65, made.stderr  # one record is refused, the rest is written
    return folder / "out.h5"


@pytest.fixture(scope="module")
def h5(results):
    with h5py.File(results, "r") as file:
        yield file


def texts(dataset):
    return list(dataset.asstr()[:])


def test_only_the_file_is_left(results):
    assert sorted(p.name for p in results.parent.iterdir()) == ["in.fasta", "manifest.yaml", "out.h5"]


def test_root_attributes(h5, results):
    a = h5.attrs
    assert a["format"] == "pleat-results"
    assert a["schema_version"] == 1
    assert a["complete"] == 1
    assert a["pleat_version"][0].isdigit()
    assert a["created_utc"].endswith("Z") and len(a["created_utc"]) == 20
    assert a["manifest_yaml"] == (results.parent / "manifest.yaml").read_text(encoding="utf-8")
    assert len(a["manifest_sha256"]) == 64 and len(a["model_sha256"]) == 64
    assert "esm2-demo" in a["model_name"]
    assert a["precision"] in ("float32", "bfloat16")
    assert "cpu" in a["devices"]
    assert "source_revision" in a


def test_untrained_weights_are_named(h5):
    assert "pseudo-random" in h5.attrs["untrained_weights"]
    assert "pleat model fetch NAME" in h5.attrs["untrained_weights"]


def test_records(h5):
    records = h5["records"]
    assert texts(records["id"]) == IDS
    assert texts(records["description"])[0] == "Insulin"
    assert records["sequence"].dtype == np.int64
    assert list(records["sequence"]) == [0, 1, -1, 0, 2]
    words = h5py.check_enum_dtype(records["status"].dtype)
    assert words == {"ok": 0, "rejected": 1, "failed": 2, "skipped": 3}
    assert records["status"].dtype == np.uint8
    assert list(records["status"]) == [0, 0, 1, 0, 0]
    codes, messages = texts(records["error_code"]), texts(records["message"])
    assert codes[2] and "7" in messages[2]
    assert [codes[i] for i in (0, 1, 3, 4)] == [""] * 4


def test_cost_of_records(h5):
    records = h5["records"]
    assert records["seconds"].dtype == np.float64
    assert list(np.isnan(records["seconds"])) == [False, False, True, False, False]
    assert records["seconds"][0] > 0 and records["seconds"][0] == records["seconds"][3]
    assert records["attempts"].dtype == np.int32
    assert list(records["attempts"]) == [1, 1, 0, 1, 1]
    assert [name.split(":")[0] for name in texts(records["device"])] == ["cpu", "cpu", "", "cpu", "cpu"]


def test_sequences(h5):
    sequences = h5["sequences"]
    assert sequences["residues"].dtype == np.uint8
    assert sequences["residues"][:].tobytes().decode() == INSULIN + "M" + "ACDEFGHIKL"
    assert sequences["offsets"].dtype == np.int64
    assert list(sequences["offsets"]) == OFFSETS
    assert sequences["chain"].dtype == np.uint16
    assert not sequences["chain"][:].any()


@pytest.mark.parametrize("layer", ["/embeddings/layer_00", LAST])
def test_embeddings(h5, layer):
    group = h5[layer]
    assert group["mean"].shape == group["bos"].shape == (3, WIDTH)
    assert group["per_residue"].shape == (OFFSETS[-1], WIDTH)
    for name in ("mean", "bos", "per_residue"):
        assert group[name].dtype == np.float16
        assert np.isfinite(group[name][:]).all()
    for row in range(3):
        rows = group["per_residue"][OFFSETS[row] : OFFSETS[row + 1]].astype(np.float32)
        # The mean was taken before rounding to float16.
        np.testing.assert_allclose(rows.mean(axis=0), group["mean"][row], atol=4e-3, rtol=4e-3)


def test_only_the_layers_asked_for(h5):
    assert sorted(h5["embeddings"]) == ["layer_00", LAST.rsplit("/", 1)[1]]


def test_logits(h5):
    alphabet = list(h5["logits"].attrs["alphabet"])
    assert h5["logits"].dtype == np.float16
    assert h5["logits"].shape == (OFFSETS[-1], len(alphabet))
    assert set("ACDEFGHIKLMNPQRSTVWY") <= set(alphabet)
    assert np.isfinite(h5["logits"][:]).all()


def test_contacts(h5):
    offsets = h5["contacts/offsets"][:]
    assert offsets.dtype == np.int64
    assert list(offsets) == [0, *np.cumsum(np.square(LENGTHS))]
    assert h5["contacts/values"].dtype == np.float16
    assert h5["contacts/values"].shape == (offsets[-1],)
    for row, length in enumerate(LENGTHS):
        contacts = h5["contacts/values"][offsets[row] : offsets[row + 1]].reshape(length, length)
        assert ((contacts >= 0) & (contacts <= 1)).all()
        np.testing.assert_allclose(contacts, contacts.T, atol=1e-3)


def test_every_dataset_is_compressed_and_checked(h5):
    seen = []

    def check(path, item):
        if not isinstance(item, h5py.Dataset):
            return
        seen.append(path)
        assert item.compression == "gzip" and item.shuffle, path
        # HDF5 has no checksum for strings of varying length.
        assert item.fletcher32 == (h5py.check_string_dtype(item.dtype) is None), path
        chunk_bytes = int(np.prod(item.chunks)) * item.dtype.itemsize
        assert chunk_bytes <= 1 << 20, path
        if len(item.shape) == 2:
            assert item.chunks[1] == item.shape[1], path

    h5.visititems(check)
    assert len(seen) == 10 + 3 + 6 + 1 + 2 + 7


def test_h5dump_reads_it(results):
    dump = subprocess.run(["h5dump", "-d", "/records/status", str(results)], capture_output=True, text=True, timeout=60)
    assert dump.returncode == 0, dump.stderr
    assert "rejected" in dump.stdout


def test_inspect_for_people(results):
    shown = pleat("inspect", results)
    assert shown.returncode == 0, shown.stderr
    for text in ("esm2-demo", "pseudo-random", "5: 4 ok, 1 rejected", f"{LAST}/per_residue", f"[{OFFSETS[-1]}, {WIDTH}]", "wrong"):
        assert text in shown.stdout, text
    assert "again" not in shown.stdout
    assert "again" in pleat("inspect", results, "--records", 4).stdout


def test_inspect_table(results):
    lines = [line.split("\t") for line in pleat("inspect", results, "--table", "all").stdout.splitlines()]
    assert lines[0] == ["id", "status", "sequence", "error_code", "message", "mean_plddt", "ptm", "iptm"]
    assert [line[0] for line in lines[1:]] == IDS
    assert all(len(line) == 8 for line in lines)
    problems = pleat("inspect", results, "--table", "problems").stdout.splitlines()
    assert len(problems) == 2 and problems[1].split("\t")[1] == "rejected"
    assert pleat("inspect", results, "--table", "none").returncode == 64


def test_inspect_json(results):
    shown = json.loads(pleat("inspect", results, "--json", "--records", 2).stdout)
    assert shown["format"] == "pleat-results" and shown["schema_version"] == 1 and shown["complete"] is True
    assert shown["records"] == {"total": 5, "ok": 4, "rejected": 1, "failed": 0, "skipped": 0}
    assert shown["sequences"] == 3 and shown["residues"] == OFFSETS[-1]
    assert shown["file_bytes"] == results.stat().st_size
    assert [record["id"] for record in shown["first_records"]] == IDS[:2]
    datasets = {dataset["path"]: dataset for dataset in shown["datasets"]}
    assert datasets[f"{LAST}/mean"]["shape"] == [3, WIDTH]
    assert datasets[f"{LAST}/mean"]["type"] == "float16"
    assert datasets[f"{LAST}/mean"]["meaning"] == "Mean over the residues."
    assert datasets["/sequences/residues"]["unit"] == "ASCII"
    with h5py.File(results) as h5:
        assert shown["attributes"]["inputs_sha256"] == h5.attrs["inputs_sha256"]
        assert shown["attributes"]["manifest_overrides"] == h5.attrs["manifest_overrides"]
    problems = json.loads(pleat("inspect", results, "--json").stdout)["first_problems"]
    assert [(record["id"], record["status"]) for record in problems] == [("wrong", "rejected")]


@pytest.mark.parametrize("content", [b"", b">p\nACD\n", b"\x89HDF\r\n\x1a\n" + b"\0" * 100])
def test_inspect_of_other_files(tmp_path, content):
    (tmp_path / "x.h5").write_bytes(content)
    shown = pleat("inspect", tmp_path / "x.h5")
    assert shown.returncode == 65
    assert "x.h5" in shown.stderr and shown.stdout == ""


def test_inspect_of_nothing(tmp_path):
    assert pleat("inspect", tmp_path / "x.h5").returncode == 66


def test_export_fasta(results, tmp_path):
    done = pleat("export", results, "--format", "fasta", "--output", tmp_path / "new/folder")
    assert done.returncode == 0, done.stderr
    assert [p.name for p in (tmp_path / "new/folder").iterdir()] == ["sequences.fasta"]
    text = (tmp_path / "new/folder/sequences.fasta").read_text(encoding="utf-8")
    entries = text.split(">")[1:]
    assert [entry.split("\n")[0] for entry in entries] == [
        "sp|P01308|INS_HUMAN Insulin",
        "one a single residue",
        "again the same sequence",
        "α-é/../x",
    ]
    assert entries[0].split("\n")[1] == INSULIN[:60]
    assert "".join(entries[0].split("\n")[1:]) == INSULIN


def test_export_keeps_what_is_there(results, tmp_path):
    (tmp_path / "sequences.fasta").write_text("precious")
    arguments = ("export", results, "--format", "fasta", "--output", tmp_path)
    assert pleat(*arguments).returncode == 73
    assert (tmp_path / "sequences.fasta").read_text() == "precious"
    assert pleat(*arguments, "--id", "nobody", "--overwrite").returncode == 65
    assert (tmp_path / "sequences.fasta").read_text() == "precious"
    assert pleat(*arguments, "--overwrite").returncode == 0
    assert (tmp_path / "sequences.fasta").read_text(encoding="utf-8").startswith(">sp|P01308")
    assert [p.name for p in tmp_path.iterdir()] == ["sequences.fasta"]


def test_export_of_some_to_stdout(results):
    done = pleat("export", results, "--format", "fasta", "--output", "-", "--id", "one", "--id", IDS[4])
    assert done.returncode == 0, done.stderr
    assert done.stdout == ">one a single residue\nM\n>α-é/../x\nACDEFGHIKL\n"


def test_export_names_unknown_and_refused_ids(results):
    done = pleat("export", results, "--format", "fasta", "--output", "-", "--id", "nobody", "--id", "wrong", "--id", "one")
    assert done.returncode == 65 and done.stdout == ""
    assert "nobody" in done.stderr and "wrong" in done.stderr


@pytest.mark.parametrize("format", ["pdb", "cif", "xyz"])
def test_export_of_structures(results, tmp_path, format):
    done = pleat("export", results, "--format", format, "--output", tmp_path)
    assert done.returncode == 64
    assert list(tmp_path.iterdir()) == []


FOLDING = MODEL.parent / "esmfold-demo"
FOLDED = ["NLYIQWLKDGGPSSGRPPPS", "GIVEQ:FVNQHLX", "MXW"]


@pytest.fixture(scope="module")
def folded(tmp_path_factory):
    """A run with structures, and both kinds of file written on the way."""
    folder = tmp_path_factory.mktemp("folded")
    sequences = [("trp cage", 0), ("dimer/x", 1), ("short", 2), ("twin", 0)]
    (folder / "in.csv").write_text("id,sequence\n" + "".join(f"{name},{FOLDED[row]}\n" for name, row in sequences))
    keys = {"version": 1, "model": str(FOLDING), "inputs": ["in.csv"], "output": "out.h5",
            "tasks": {"structure": {"num_recycles": 1, "pae": True, "formats": ["pdb", "cif"]}}}
    (folder / "manifest.yaml").write_text(json.dumps(keys))
    made = pleat("run", folder / "manifest.yaml")
    assert made.returncode == 0, made.stderr
    return folder


def test_structures(folded):
    lengths = [len(sequence.replace(":", "")) for sequence in FOLDED]
    residues = "".join(FOLDED).replace(":", "")
    with h5py.File(folded / "out.h5") as file:
        group = file["structures"]
        shapes = {name: (item.dtype, item.shape) for name, item in group.items()
                  if name not in ("atom14_names", "chains", "chain_pairs")}
        total = sum(lengths)
        assert shapes == {
            "positions": (np.float32, (total, 14, 3)),
            "atom_mask": (np.uint8, (total, 14)),
            "plddt": (np.float16, (total, 14)),
            "mean_plddt": (np.float32, (3,)),
            "ptm": (np.float32, (3,)),
            "iptm": (np.float32, (3,)),
            "ptm_residues": (np.float32, (3,)),
            "recycles": (np.int32, (3,)),
            "pae": (np.float16, (sum(n * n for n in lengths),)),
            "pae_offsets": (np.int64, (4,)),
            "chain": (np.uint16, (total,)),
            "residue_number": (np.int32, (total,)),
        }
        assert group["positions"].attrs["units"] == group["pae"].attrs["units"] == "ångström"
        names = group["atom14_names"][:].astype(str)  # no h5py trick needed
        assert (names == group["atom14_names"].asstr()[:]).all()
        rows = group["atom14_names"].attrs["residues"]
        assert len(rows) == len(names) == 21
        assert list(names[rows.index("W")]) == "N CA C O CB CG CD1 CD2 NE1 CE2 CE3 CZ2 CZ3 CH2".split()
        assert not any(names[rows.index("X")])
        mask = group["atom_mask"][:]
        assert (mask == (names[[rows.index(letter) for letter in residues]] != "")).all()
        positions, plddt = group["positions"][:], group["plddt"][:]
        assert np.isfinite(positions).all() and (positions[mask == 0] == 0).all()
        assert (plddt[mask == 0] == 0).all() and (plddt[mask == 1] > 0).all() and (plddt <= 100).all()
        assert list(group["pae_offsets"]) == [0, *np.cumsum(np.square(lengths))]
        assert list(group["recycles"]) == [1, 1, 1]
        bounds = np.cumsum([0, *lengths])
        for row in range(3):
            own = slice(bounds[row], bounds[row + 1])
            mean = plddt[own].astype(np.float64)[mask[own] == 1].mean()
            assert group["mean_plddt"][row] == pytest.approx(mean, abs=0.05)
            assert 0 <= group["ptm"][row] <= 1
        assert list(group["chain"]) == list(file["sequences/chain"]) == [0] * 20 + [0] * 5 + [1] * 7 + [0] * 3
        assert list(group["residue_number"]) == [*range(1, 21), *range(1, 6), *range(1, 8), *range(1, 4)]


def test_structure_datasets_are_compressed_and_checked(folded):
    with h5py.File(folded / "out.h5") as file:
        structures = file["structures"]
        datasets = [structures, structures["chains"], structures["chain_pairs"]]
        for name, item in ((name, item) for group in datasets for name, item in group.items() if isinstance(item, h5py.Dataset)):
            assert item.compression == "gzip" and item.shuffle and item.fletcher32, name
            assert item.chunks[1:] == item.shape[1:], name  # whole residues


@pytest.mark.parametrize("format", ["pdb", "cif"])
def test_structures_written_on_the_way_are_those_of_an_export(folded, tmp_path, format):
    written = {path.name: path.read_bytes() for path in (folded / "out.structures").iterdir()}
    done = pleat("export", folded / "out.h5", "--format", format, "--output", tmp_path / "later")
    assert done.returncode == 0, done.stderr
    later = {path.name: path.read_bytes() for path in (tmp_path / "later").iterdir()}
    assert sorted(later) == sorted([*(f"{name}.{format}" for name in ("trp_cage", "dimer_x", "short", "twin")), "index.tsv"])
    assert {name: written[name] for name in later if name != "index.tsv"} == {
        name: content for name, content in later.items() if name != "index.tsv"}
    lines = written["index.tsv"].splitlines()
    assert len(lines) == 1 + 2 * 4 and set(later["index.tsv"].splitlines()) <= set(lines)


def test_nothing_else_is_left_of_the_structures(folded):
    assert sorted(p.name for p in folded.iterdir()) == ["in.csv", "manifest.yaml", "out.h5", "out.structures"]


def test_export_into_a_file(results, tmp_path):
    (tmp_path / "file").write_text("x")
    done = pleat("export", results, "--format", "fasta", "--output", tmp_path / "file")
    assert done.returncode == 73
    assert (tmp_path / "file").read_text() == "x"
