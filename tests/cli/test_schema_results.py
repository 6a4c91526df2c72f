"""`pleat schema results`: a table of the result file that agrees with files that were written, in both directions."""

import json
import re
from pathlib import Path

import h5py
import numpy as np
import program
import pytest
from folding import FOLDING
from job import REPOSITORY, Job, fasta, proteins

FOLD_MODEL = REPOSITORY / "tests/data/esmfold/wide_pair"


def pleat(*arguments):
    done = program.pleat(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def table():
    return json.loads(pleat("schema", "results"))


def made(folder, name, model=None, text="", arguments=(), **keys):
    folder = folder / name
    folder.mkdir()
    job = Job(folder, model) if model else Job(folder)
    job.input("in.fasta", text)
    job.keys |= keys
    done = job.run("--fail-on", "none", *arguments)
    assert done.returncode == 0, done.stderr
    return job


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Of every kind that pleat writes."""
    folder = tmp_path_factory.mktemp("files")
    text = fasta(proteins(6)) + ">bad\nAC-D\n>chains\nACD:EFG\n"
    found = []
    for dtype in ("float16", "float32"):
        everything = {"embeddings": {"layers": [0, -1], "bos": True, "dtype": dtype}, "logits": True, "contacts": True,
                      "attentions": True}
        found.append(made(folder, f"embedded-{dtype}", text=text, tasks=everything).output)
        structure = {"structure": {"num_recycles": 0, "dtype": dtype, "distogram": {"bins": True},
                                   "trunk_states": True}}
        found.append(made(folder, f"folded-{dtype}", FOLD_MODEL, fasta(proteins(3, 5, 20)) + ">c\nACDE:FGH\n>bad\nA7\n",
                          tasks=structure).output)
    found.append(made(folder, "complexes", text=text, pairs={"mode": "all_vs_all"}).output)
    found.append(made(folder, "scanned", text=text, tasks={"scoring": {"variants": "all_single"}}).output)
    variants = folder / "variants.csv"
    variants.write_text("id,variants\nchains,E4G\nnobody,A1C\nchains,A1K:G6W\n")
    found.append(made(folder, "variants", text=text, tasks={"scoring": {"variants": str(variants)}}).output)
    # The demo's model is marked as untrained.
    found.append(made(folder, "untrained", REPOSITORY / "configs/demo/models/esm2-demo", text).output)
    job = made(folder, "shards", text=text, arguments=("--shard", "1/3"))
    shard = job.folder / "out.shard-1-of-3.h5"
    pleat("merge", shard, "-o", job.folder / "merged.h5", "--allow-missing")
    return [*found, shard, job.folder / "merged.h5"]


def type_of(dtype):
    """As the table writes it."""
    text = h5py.check_string_dtype(dtype)
    if text is not None:
        assert text.encoding == "utf-8"
        return "utf8" if text.length is None else f"utf8 of {text.length} bytes"
    return f"{dtype.name} enum" if h5py.check_enum_dtype(dtype) else dtype.name



def fits(written, types):
    return written in types.split(" or ")


def sizes_in(file):
    """What the letters of shapes stand for in this file, as far as it says."""
    offsets = file["sequences/offsets"][:]
    lengths = np.diff(offsets)
    sizes = {"N": len(file["records/id"]), "I": len(file["inputs/path"]), "U": len(lengths), "R": int(offsets[-1]), "sum of L * L": int((lengths**2).sum())}
    chains = file["sequences/chain"][:][offsets[1:] - 1].astype(int) + 1  # they count from 0
    sizes |= {"sum of C": int(chains.sum()), "sum of C * C": int((chains**2).sum())}
    if "logits" in file:
        sizes["A"] = len(file["logits"].attrs["alphabet"])
    if "attentions" in file:
        sizes["H"] = 4  # of the model of these files
    for layer in file.get("embeddings", {}).values():
        sizes["D"] = layer["mean"].shape[1]
    if "structures" in file:
        sizes["S"] = json.loads((FOLDING / "config.json").read_text())["esmfold_config"]["trunk"]["sequence_state_dim"]
    if "scores/table" in file:
        sizes |= {"T": len(file["scores/table/id"]), "V": int(file["scores/variants/offsets"][-1])}
    if "missing_shards" in file.attrs:
        sizes["missing"] = len(file.attrs["missing_shards"])
    return sizes


def size_of(word, sizes):
    if word.isdigit():
        return int(word)
    return sizes["U"] + 1 if word == "U + 1" else sizes[word]


def datasets_of(file):
    found = {}
    file.visititems(lambda path, item: found.update({f"/{path}": item}) if isinstance(item, h5py.Dataset) else None)
    return found


def pattern_of(path):
    return re.sub(r"layer_\d+", "layer_NN", path)


def test_every_dataset_is_in_the_table_as_it_is(table, files):
    entries = {entry["path"]: entry for entry in table["datasets"]}
    for name in files:
        with h5py.File(name) as file:
            sizes = sizes_in(file)
            for path, dataset in datasets_of(file).items():
                entry = entries[pattern_of(path)]
                assert fits(type_of(dataset.dtype), entry["type"]), (name, path, dataset.dtype)
                assert dataset.shape == tuple(size_of(word, sizes) for word in entry["shape"]), (name, path)


def test_every_dataset_of_the_table_occurs(table, files):
    found, types = set(), {}
    for name in files:
        with h5py.File(name) as file:
            for path, dataset in datasets_of(file).items():
                found.add(pattern_of(path))
                types.setdefault(pattern_of(path), set()).add(type_of(dataset.dtype))
    assert found == {entry["path"] for entry in table["datasets"]}
    # So do all types that a dataset may have.
    assert types == {entry["path"]: set(entry["type"].split(" or ")) for entry in table["datasets"]}


def test_what_is_always_there_is_there(table, files):
    always = {entry["path"] for entry in table["datasets"] if not entry["present"]}
    attributes = {entry["name"] for entry in table["attributes"] if entry["object"] == "/" and not entry["present"]}
    for name in files:
        with h5py.File(name) as file:
            assert always <= set(map(pattern_of, datasets_of(file))), name
            assert attributes <= set(file.attrs), name


def attributes_of(file):
    """(object, name) -> the attribute; "strings" stands for all datasets of strings."""
    found = {("/", key): file.attrs.get_id(key) for key in file.attrs}
    for path, dataset in datasets_of(file).items():
        owner = "strings" if type_of(dataset.dtype) == "utf8" else pattern_of(path)
        found |= {(owner, key): dataset.attrs.get_id(key) for key in dataset.attrs}
    groups = []
    file.visititems(lambda path, item: groups.append(item) if isinstance(item, h5py.Group) else None)
    assert not any(len(group.attrs) for group in groups)
    return found


def test_attributes(table, files):
    entries = {(entry["object"], entry["name"]): entry for entry in table["attributes"]}
    found = set()
    for name in files:
        with h5py.File(name) as file:
            sizes = sizes_in(file)
            for place, attribute in attributes_of(file).items():
                found.add(place)
                assert type_of(attribute.dtype) == entries[place]["type"], (name, place)
                shape = tuple(size_of(word, sizes) for word in entries[place]["shape"])
                assert attribute.shape == shape, (name, place)
    assert found == set(entries)


def test_every_column_of_strings_has_its_sum(files):
    for name in files:
        with h5py.File(name) as file:
            for path, dataset in datasets_of(file).items():
                assert ("sha256" in dataset.attrs) == (type_of(dataset.dtype) == "utf8"), (name, path)


def test_units(table, files):
    units = {entry["path"]: entry["unit"] for entry in table["datasets"]}
    seen = set()
    for name in files:
        with h5py.File(name) as file:
            for path, dataset in datasets_of(file).items():
                if "units" in dataset.attrs:
                    assert dataset.attrs["units"] == units[path]
                    seen.add(path)
    assert seen == {"/structures/positions", "/structures/pae", "/structures/distogram/mean",
                    "/structures/distogram/spread"}


def test_the_version(table, files):
    with h5py.File(files[0]) as file:
        assert file.attrs["format"] == table["format"]
        assert file.attrs["schema_version"] == table["schema_version"]


def test_the_reference_page():
    page = REPOSITORY / "docs/results-reference.md"
    assert pleat("schema", "results", "--markdown") == page.read_text(), (
        "stale: build/bin/pleat schema results --markdown > docs/results-reference.md"
    )


def test_the_page_of_results_names_the_reference():
    assert "results-reference.md" in Path(REPOSITORY / "docs/results.md").read_text()
