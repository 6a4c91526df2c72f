"""Complexes of pairs of records: `pairs` in the manifest, planned, computed, resumed, divided and merged."""

import gzip
import json
import resource
import time

import pytest
from folding import fold_job
from job import MODEL, REPOSITORY, contents, fasta, proteins, records, structures, texts
from program import pleat_with_peak

DEMO = REPOSITORY / "configs/demo/models/esmfold-demo"
THREE = fasta(["MKTAYIAK", "GGHWC:EE", "LLPQR"], ["p1", "p2", "p3"])


@pytest.fixture
def job(tmp_path):
    job = fold_job(tmp_path)
    job.keys["tasks"]["structure"]["num_recycles"] = 0
    job.input("in.fasta", THREE)
    return job


def table(job, text, name="pairs.tsv", **keys):
    job.place(name, text)
    job.keys["pairs"] = {"file": name, **keys}


def fold_written(job, written):
    """id -> the structure of complexes that are written as A:B, without pairs."""
    pairs = job.keys.pop("pairs")
    inputs = job.keys["inputs"]
    job.keys["inputs"] = []
    job.input("written.fasta", fasta(written.values(), written.keys()))
    with job.compute("--overwrite") as file:
        found = structures(file)
    job.keys |= {"pairs": pairs, "inputs": inputs}
    return found


def test_complexes_are_those_that_are_written(job):
    job.keys["model"] = str(DEMO)
    table(job, "a\tb\np1\tp2\np3\tp1\n")
    with job.compute() as file:
        found = structures(file)
        assert texts(file["records/part_a"]) == ["p1", "p3"] and texts(file["records/part_b"]) == ["p2", "p1"]
        assert texts(file["inputs/path"]) == [str(job.folder / "in.fasta"), str(job.folder / "pairs.tsv")]
        assert texts(file["inputs/format"]) == ["fasta", "pairs"] and list(file["inputs/records"]) == [3, 2]
        # A's chains come first.
        assert list(file["sequences/chain"][:16]) == [0] * 8 + [1] * 5 + [2] * 2 + [0]
        assert file["structures/chain_pairs/iptm"].shape == (9 + 4,)
    written = fold_written(job, {"p1_p2": "MKTAYIAK:GGHWC:EE", "p3_p1": "LLPQR:MKTAYIAK"})
    assert found.keys() == written.keys()
    for name, arrays in written.items():
        for key, values in arrays.items():
            assert values.tobytes() == found[name][key].tobytes(), (name, key)


def test_all_vs_all_and_baits(job):
    job.keys["pairs"] = {"mode": "all_vs_all", "self": True}
    with job.compute() as file:
        assert texts(file["records/id"]) == ["p1_p1", "p1_p2", "p1_p3", "p2_p2", "p2_p3", "p3_p3"]
    job.place("baits.txt", "# of the screen\np3\n")
    job.keys["pairs"] = {"mode": "bait_vs_all", "baits": ["@baits.txt"]}
    with job.compute("--overwrite") as file:
        assert texts(file["records/id"]) == ["p3_p1", "p3_p2"]
        assert len(file["inputs/path"]) == 1
    job.keys["pairs"]["baits"] = ["p4"]
    job.refused(78, "'pairs.baits': no record is called 'p4'; did you mean 'p1'?", arguments=("--overwrite",))


def test_every_task_takes_complexes(job):
    job.keys["model"] = str(MODEL)
    job.keys["tasks"] = {"embeddings": {"layers": [0, -1]}, "logits": True, "contacts": True}
    job.keys["pairs"] = {"mode": "all_vs_all"}
    with job.compute() as file:
        found = contents(file)
    del job.keys["pairs"]
    job.keys["inputs"] = []
    job.input("written.fasta", fasta(["MKTAYIAK:GGHWC:EE", "MKTAYIAK:LLPQR", "GGHWC:EE:LLPQR"]))
    with job.compute("--overwrite") as file:
        for path, values in contents(file).items():
            if path.startswith(("embeddings", "logits", "contacts", "sequences")):
                assert found[path] == values, path


def test_what_cannot_be_paired_is_told_and_the_rest_computed(job):
    job.input("more.fasta", ">gap\nMK-K\n>twice\nMKV\n>twice\nMKL\n")
    table(job, "a,b\np1,p3\np1,P3\ngap,p1\np1,twice\np1\np3,\n")
    done = job.run()
    assert done.returncode == 65, done.stderr
    with job.open() as file:
        found = records(file)
        assert list(structures(file)) == ["p1_p3"]
    assert found == {
        "p1_p3": ("ok", "", ""),
        "p1_P3": ("rejected", "unknown_part", "no record is called 'P3'; did you mean 'p3'?"),
        "gap_p1": ("rejected", "bad_residue", "'gap': '-' at position 3 is not a residue"),
        "p1_twice": ("rejected", "ambiguous_part", "2 records are called 'twice'"),
        "unnamed_5": ("rejected", "bad_row", "line 6: 1 values where the header row names 2 columns"),
        "unnamed_6": ("rejected", "missing_value", "line 7: the row has no value for 'b'"),
    }
    assert "1 record with unknown_part" in done.stderr
    assert job.pleat("verify", job.output, "--manifest", job.manifest()).returncode == 0


REFUSED = [
    ("a,c\np1,p2\n", 66, "no column is called 'b'"),
    ("", 0, "holds no pair"),
    ("a,b\n", 0, "holds no pair"),
    ("a,b\np1,p2\np1,p2\n", 66, "two complexes are called 'p1_p2': line 2, 'p1' and 'p2'; line 3, 'p1' and 'p2'"),
    ("id,a,b\nx,p1,p2\nx,p2,p3\n", 66, "two complexes are called 'x'"),
]


@pytest.mark.parametrize("text, status, words", REFUSED)
def test_tables_that_end_the_work_or_make_none(job, text, status, words):
    table(job, text)
    planned = job.pleat("plan", job.manifest())
    assert planned.returncode == status, planned.stderr
    assert words in planned.stderr + planned.stdout
    if status:
        job.refused(status, words)
        return
    done = job.run()
    assert done.returncode == 0 and words in done.stderr, done.stderr
    with job.open() as file:
        assert file["records/id"].shape == file["records/part_a"].shape == (0,)
        assert list(texts(file["inputs/problem"])) == ["", "empty"]


def test_a_table_that_is_not_there(job):
    job.keys["pairs"] = {"file": "nowhere.tsv"}
    job.refused(66, "nowhere.tsv", "No such file")


def test_a_compressed_table_with_a_byte_order_mark(job):
    table(job, gzip.compress("\ufeff\"b\";\"a\"\r\n\"p2\";p1\r\n".encode()), "pairs.csv.gz")
    with job.compute() as file:
        assert texts(file["records/id"]) == ["p1_p2"]
        assert texts(file["inputs/format"])[1] == "pairs, gzip"


def test_both_orders_are_told(job):
    table(job, "a,b\np1,p2\np2,p1\n")
    told = "1 pair is given in both orders, such as 'p1_p2' and 'p2_p1'"
    assert told in job.pleat("plan", job.manifest()).stdout
    done = job.run()
    assert done.returncode == 0 and told in done.stderr
    with job.open() as file:
        assert len(file["sequences/offsets"]) == 3


def test_the_table_is_never_written_over(job):
    table(job, "a,b\np1,p2\n", "out.h5")
    before = (job.folder / "out.h5").read_bytes()
    done = job.run("--overwrite")
    assert done.returncode == 73 and "has another part in this command" in done.stderr
    assert (job.folder / "out.h5").read_bytes() == before


# Plan, resume, shards

def test_a_plan_says_how_many_and_what_they_cost(job):
    job.keys["pairs"] = {"mode": "all_vs_all"}
    planned = job.plan()
    assert planned["pairs"] == {"parts": 3, "complexes": 3}
    assert (planned["records"], planned["sequences"], planned["residues"]) == (3, 3, 2 * (8 + 7 + 5))
    assert planned["flops"] > 0 and planned["seconds"] > 0
    text = job.pleat("plan", job.manifest()).stdout
    assert "complexes    3, of 3 records in pairs" in text and "TFLOP" in text
    # A run then does so.
    job.run("--summary-json", job.folder / "summary.json")
    summary = json.loads((job.folder / "summary.json").read_text())
    assert (summary["sequences"], summary["residues"], summary["complexes"]) == (3, 40, 3)
    with job.open() as file:
        stored = 0

        def add(path, item):
            nonlocal stored
            if path.startswith("structures") and item.attrs.get("CLASS", b"") == b"" and hasattr(item, "dtype"):
                stored += item.size * item.dtype.itemsize if path.split("/")[-1] in COMPUTED else 0

        file.visititems(add)
    assert planned["result_bytes"] == stored


COMPUTED = {"positions", "atom_mask", "plddt", "mean_plddt", "ptm", "recycles", "pae", "iptm", "ptm_residues",
            "ipsae", "ipsae_d0chn", "min_pae", "contacts"}


@pytest.mark.memory
def test_half_a_million_complexes_are_planned_in_seconds(job):
    job.keys["pairs"] = {"mode": "all_vs_all"}
    job.input("in.fasta", fasta(proteins(1000, 100, 500)))
    start = time.monotonic()
    printed, peak = pleat_with_peak("plan", job.manifest(), "--json")
    assert time.monotonic() - start < 60
    planned = json.loads(printed)
    assert planned["records"] == planned["sequences"] + planned["too_long"] == 499_500
    assert peak < 400e6


def test_a_run_resumes_only_with_the_same_pairs(job):
    def before():  # the segments fit, the file does not
        resource.setrlimit(resource.RLIMIT_FSIZE, (15_000, 15_000))

    table(job, "a,b\np1,p3\np2,p3\n")
    assert job.run(preexec_fn=before).returncode == 75
    job.place("pairs.tsv", "a,b\np1,p3\np3,p2\n")
    done = job.run()
    assert done.returncode == 73 and "the inputs hold other records" in done.stderr, done.stderr
    job.place("pairs.tsv", "a,b\np1,p3\np2,p3\n")
    done = job.run()
    assert done.returncode == 0 and "2 of 2 sequences are done" in done.stderr, done.stderr


def test_shards_divide_the_complexes(job):
    job.input("more.fasta", ">gap\nMK-K\n")
    job.keys["pairs"] = {"mode": "all_vs_all"}
    assert job.run().returncode == 65
    with job.open() as file:
        whole = contents(file)
    parts = []
    for index in (1, 2, 3):
        assert job.run("--shard", f"{index}/3").returncode in (0, 65)
        parts.append(job.folder / f"out.shard-{index}-of-3.h5")
    flops = [job.plan("--shard", f"{index}/3")["shard"]["flops"] for index in (1, 2, 3)]
    assert min(flops) > 0 and sum(flops) == pytest.approx(job.plan()["flops"])
    job.output = job.folder / "merged.h5"
    done = job.pleat("merge", *parts, "--output", job.output)
    assert done.returncode == 0, done.stderr
    with job.open() as file:
        assert contents(file) == whole
    assert job.pleat("verify", job.output, "--manifest", job.manifest()).returncode == 0


def test_more_shards_than_complexes(job):
    table(job, "a,b\np1,p3\n")
    for index in (1, 2):
        assert job.run("--shard", f"{index}/2").returncode == 0
    done = job.pleat("merge", "--shards", 2, "--output", job.output)
    assert done.returncode == 0, done.stderr
    with job.open() as file:
        assert texts(file["records/part_b"]) == ["p3"]


def test_files_and_exports_are_named_by_the_complex(job):
    job.keys["tasks"]["structure"]["formats"] = ["cif"]
    table(job, "id,a,b\n,p1,p3\nmy complex,p1,p2\n")
    job.compute().close()
    names = sorted(path.name for path in (job.folder / "out.structures").glob("*.cif"))
    assert names == ["my_complex.cif", "p1_p3.cif"]
