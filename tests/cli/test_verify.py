"""pleat verify: good files pass, and whatever is wrong with one is found and named."""

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from job import REPOSITORY, Job, fasta, proteins


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    job = Job(tmp_path_factory.mktemp("embedded"))
    job.input("in.fasta", fasta(proteins(20, 5, 60)) + ">bad\nAC-D\n>c\nACD:EFG\n>again\nACD:EFG\n")
    job.keys["policy"] = {"fail_on": "none"}
    job.keys["tasks"] = {"embeddings": {"layers": [0, -1], "bos": True}, "logits": True, "contacts": True}
    job.compute().close()
    return job


@pytest.fixture(scope="module")
def folded(tmp_path_factory):
    job = Job(tmp_path_factory.mktemp("folded"), REPOSITORY / "tests/data/esmfold/wide_pair")
    job.input("in.fasta", fasta(proteins(3, 5, 20)) + ">c\nACD:EFG\n>x\nXXXX\n")
    job.keys["tasks"] = {"structure": {"num_recycles": 0}, "embeddings": True}
    job.compute().close()
    return job


def check(file):
    done = Job.pleat("verify", "--json", file)
    found = json.loads(done.stdout)
    assert done.returncode == (0 if found["good"] else 65), done.stderr
    assert found["good"] == (found["problems"] == [])
    return found


def places(file):
    return {problem["place"] for problem in check(file)["problems"]}


@pytest.fixture
def copy(tmp_path):
    def copy_of(job):
        return shutil.copy(job.output, tmp_path / "copy.h5")

    return copy_of


def test_good_files_pass(embedded, folded):
    for job in (embedded, folded):
        assert check(job.output)["problems"] == []
        done = job.pleat("verify", job.output)
        assert done.returncode == 0 and ": good; " in done.stdout


def test_shards_and_empty_ones_and_merged_files_pass(job):
    job.input("in.fasta", fasta(proteins(3)))
    files = []
    for index in range(1, 6):
        assert job.run("--shard", f"{index}/5").returncode == 0
        files.append(job.folder / f"out.shard-{index}-of-5.h5")
    assert job.pleat("merge", *files, "-o", job.output).returncode == 0
    for file in (*files, job.output):
        assert check(file)["problems"] == []


def test_options_that_change_the_manifest_pass(job):
    job.input("in.fasta", ">a\nACD\n")
    job.compute("--set", "tasks.logits=true", "--set", "run.max_tokens_per_batch=9", "--fail-on", "all").close()
    assert check(job.output)["problems"] == []


def datasets_with_chunks(file):
    with h5py.File(file) as h5:
        found = []
        h5.visititems(lambda path, item: found.append(path) if isinstance(item, h5py.Dataset) and item.chunks else None)
    return found


@pytest.mark.parametrize("kind", ["embedded", "folded"])
def test_a_changed_byte_in_any_dataset_is_found(kind, request, copy):
    job = request.getfixturevalue(kind)
    paths = datasets_with_chunks(job.output)
    assert len(paths) >= 15
    for path in paths:
        file = copy(job)
        with h5py.File(file) as h5:
            chunk = h5[path].id.get_chunk_info(0)
        with open(file, "r+b") as raw:
            raw.seek(chunk.byte_offset + chunk.size // 2)
            byte = raw.read(1)[0]
            raw.seek(-1, 1)
            raw.write(bytes([byte ^ 0x10]))
        assert any(f"/{path}" in problem["place"] or f"/{path}" in problem["what"] for problem in check(file)["problems"]), path


def test_a_file_cut_off_anywhere_is_found(embedded, copy):
    size = embedded.output.stat().st_size
    for part in range(10):
        file = copy(embedded)
        with open(file, "r+b") as raw:
            raw.truncate(size * part // 10)
        done = embedded.pleat("verify", file)
        assert done.returncode == 65, part



def replace(h5, path, values, **options):
    attributes = dict(h5[path].attrs)
    del h5[path]
    created = h5.create_dataset(path, data=values, **options)
    for name, value in attributes.items():
        created.attrs[name] = value


def set_values(path, *changes):
    """A corruption: each change is an index and a value."""

    def corrupt(h5):
        for index, value in changes:
            h5[path][index] = value

    return corrupt


def text(path, index, value):
    def corrupt(h5):
        h5[path][index] = value

    return corrupt


def failed_with_numbers(h5):
    h5["records/status"][0] = 2
    code = h5["records/error_code"]
    code[0] = "compute_failed"


def attribute(name, value):
    def corrupt(h5):
        h5.attrs[name] = value

    return corrupt


def remove(path):
    def corrupt(h5):
        del h5[path]

    return corrupt


def swap_offsets(h5):
    h5["contacts/offsets"][1] += 1


def longer(path):
    def corrupt(h5):
        values = h5[path][:]
        replace(h5, path, np.concatenate([values, values[-1:]]))

    return corrupt


def other_type(path, dtype):
    def corrupt(h5):
        replace(h5, path, h5[path][:].astype(dtype))

    return corrupt


NAN = float("nan")
EMBEDDED = {
    "status out of range": (set_values("records/status", (0, 9)), "/records"),
    "status of a record that was not computed": (set_values("records/status", (20, 0)), "/records/sequence"),
    "sequence out of range": (set_values("records/sequence", (3, 999)), "/records"),
    "a refused record with a sequence": (set_values("records/sequence", (20, 1)), "/records/sequence"),
    "a sequence of no record": (set_values("records/sequence", (2, 1)), "/records/sequence"),
    "records of a sequence disagree": (set_values("records/status", (22, 2)), "/records/status"),
    "another id": (text("records/id", 1, "p9"), "/records/id"),
    "another message": (text("records/message", 1, "x"), "/records/message"),
    "offsets swapped": (swap_offsets, "/contacts/offsets"),
    "offsets of sequences": (set_values("sequences/offsets", (1, 10**9)), "/"),
    "another residue": (set_values("sequences/residues", (0, ord("1"))), "/sequences/residues"),
    "chains with a gap": (set_values("sequences/chain", (0, 3)), "/sequences/chain"),
    "NaN in a mean": (set_values("embeddings/layer_02/mean", ((2, 3), NAN)), "/embeddings/layer_02/mean"),
    "infinity in a residue": (set_values("embeddings/layer_00/per_residue", ((9, 3), np.inf)), "/embeddings/layer_00/per_residue"),
    "a wrong mean": (set_values("embeddings/layer_02/mean", ((2, 3), 7.0)), "/embeddings/layer_02/mean"),
    "NaN in logits": (set_values("logits", ((5, 3), NAN)), "/logits"),
    "NaN in bos": (set_values("embeddings/layer_02/bos", ((0, 0), NAN)), "/embeddings/layer_02/bos"),
    "a contact over 1": (set_values("contacts/values", (7, 1.5)), "/contacts/values"),
    "a contact below 0": (set_values("contacts/values", (7, -0.5)), "/contacts/values"),
    "numbers of a failed sequence": (failed_with_numbers, "/embeddings/layer_02/mean"),
    "not complete": (attribute("complete", np.uint8(0)), "/"),
    "another manifest": (attribute("manifest_yaml", "version: 1"), "/"),
    "missing seconds": (remove("records/seconds"), "/records/seconds"),
    "missing chains": (remove("sequences/chain"), "/sequences/chain"),
    "missing contact offsets": (remove("contacts/offsets"), "/contacts/offsets"),
    "one row more": (longer("records/seconds"), "/records/seconds"),
    "one contact more": (longer("contacts/values"), "/contacts/values"),
    "another type": (other_type("records/attempts", np.float64), "/records/attempts"),
    "a newer format": (attribute("schema_version", np.int32(99)), "/"),
}

FOLDED = {
    "pLDDT over 100": (set_values("structures/plddt", ((0, 0), 101)), "/structures/plddt"),
    "NaN in positions": (set_values("structures/positions", ((0, 1, 2), NAN)), "/structures/positions"),
    "pTM over 1": (set_values("structures/ptm", (0, 1.5)), "/structures/ptm"),
    "a wrong mean pLDDT": (set_values("structures/mean_plddt", (1, 3.0)), "/structures/mean_plddt"),
    "a negative error": (set_values("structures/pae", (3, -1)), "/structures/pae"),
    "a mask of 2": (set_values("structures/atom_mask", ((0, 0), 2)), "/structures/atom_mask"),
    "a position without an atom": (set_values("structures/positions", ((0, 13, 0), 5.0)), "/structures/atom_mask"),
    "no recycles": (set_values("structures/recycles", (0, -1)), "/structures/recycles"),
    "a wrong residue number": (set_values("structures/residue_number", (2, 9)), "/structures/residue_number"),
    "missing mask": (remove("structures/atom_mask"), "/structures/atom_mask"),
    "wrong error offsets": (set_values("structures/pae_offsets", (1, 1)), "/structures/pae_offsets"),
}


@pytest.mark.parametrize("name", EMBEDDED)
def test_corruptions_of_embeddings(embedded, copy, name):
    corrupt, place = EMBEDDED[name]
    file = copy(embedded)
    with h5py.File(file, "r+") as h5:
        corrupt(h5)
    assert place in places(file), check(file)


@pytest.mark.parametrize("name", FOLDED)
def test_corruptions_of_structures(folded, copy, name):
    corrupt, place = FOLDED[name]
    file = copy(folded)
    with h5py.File(file, "r+") as h5:
        corrupt(h5)
    assert place in places(file), check(file)


def test_a_damaged_attribute_does_not_count_as_absent(embedded, copy):
    file = copy(embedded)
    with h5py.File(file, "r+") as opened:
        opened.attrs["missing_shards"] = np.zeros(4321, dtype="i1")
    data = file.read_bytes()
    count = (4321).to_bytes(8, "little")
    assert data.count(count) in (1, 2)  # the extent, and the largest that it may become
    file.write_bytes(data.replace(count, (1 << 40).to_bytes(8, "little")))
    done = Job.pleat("verify", file)
    assert done.returncode == 65
    assert "data size exceeds buffer size" in done.stdout
    assert Job.pleat("inspect", file).returncode == 65


def test_what_is_no_result_file(job):
    assert job.pleat("verify", job.folder / "nowhere.h5").returncode == 66
    assert job.pleat("verify", job.place("text.h5", "no HDF5")).returncode == 65


def compared(job, file=None):
    done = Job.pleat("verify", "--json", file or job.output, "--manifest", job.manifest())
    assert done.returncode in (0, 65), done.stderr
    return {problem["place"] for problem in json.loads(done.stdout)["problems"]}


def test_against_its_manifest(embedded, folded):
    assert compared(embedded) == set()
    assert compared(folded) == set()


def test_a_shard_and_the_merged_file_against_the_manifest(job):
    job.input("in.fasta", fasta(proteins(9)) + ">bad\nA-\n>p3\nACD:EF\n")
    job.keys["policy"] = {"fail_on": "none"}
    files = [job.folder / f"out.shard-{index}-of-3.h5" for index in (1, 2, 3)]
    for index in (1, 2, 3):
        assert job.run("--shard", f"{index}/3").returncode == 0
    for file in files:
        assert compared(job, file) == set()
    assert job.pleat("merge", *files, "-o", job.output).returncode == 0
    assert compared(job) == set()
    job.output.unlink()
    assert job.pleat("merge", *files[:2], "-o", job.output, "--allow-missing").returncode == 0
    assert compared(job) == {"/"}


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        (">p3\n", ">q3\n", "/records/id"),
        (">p3\n", ">p3 with words\n", "/records/description"),
        (">p3\nACDEF\n", ">p3\nACDEG\n", "/records/sequence"),
        (">c\nACD:EFG\n", ">c\nAC:DEFG\n", "/records/sequence"),
        (">bad\nAC-D\n", ">bad\nACD\n", "/records/status"),
        (">c\nACD:EFG\n", "", "/records"),
        (">p3\nACDEF\n>c\nACD:EFG\n", ">c\nACD:EFG\n>p3\nACDEF\n", "/records/id"),
    ],
)
def test_other_inputs_are_noticed(job, old, new, place):
    text = fasta(proteins(3)) + ">p3\nACDEF\n>c\nACD:EFG\n>bad\nAC-D\n"
    assert old in text
    job.input("in.fasta", text)
    job.keys["policy"] = {"fail_on": "none"}
    job.compute().close()
    assert compared(job) == set()
    job.input("in.fasta", text.replace(old, new))
    assert place in compared(job)


def test_other_tasks_and_models_are_noticed(job):
    job.input("in.fasta", fasta(proteins(3)))
    job.compute().close()
    manifest = job.manifest()
    done = Job.pleat("verify", job.output, "--manifest", manifest, "--set", "tasks.contacts=true")
    assert done.returncode == 65
    assert "/contacts/values: the manifest asks for it" in done.stdout
    job.keys["model"] = str(REPOSITORY / "tests/data/esm2/head64")
    assert "/" in compared(job)
    assert Job.pleat("verify", job.output, "--set", "a=b").returncode == 64
    assert Job.pleat("verify", job.output, "--manifest", job.folder / "none.yaml").returncode == 66


def test_what_makes_hdf5_crash_is_damage_too(embedded, copy):
    """In the head of HDF5's heap of strings one byte after the other is changed; HDF5 1.10 crashes at some of them."""
    data = Path(embedded.output).read_bytes()
    heap = data.index(b"GCOL")
    crashes = 0
    for place in range(heap + 16, heap + 48):
        spoilt = bytearray(data)
        spoilt[place] ^= 0x25
        file = copy(embedded)
        Path(file).write_bytes(spoilt)
        done = Job.pleat("verify", file)
        assert done.returncode in (0, 65), (place, done.returncode, done.stderr)
        crashes += "HDF5 crashed" in done.stdout
    assert crashes > 0
