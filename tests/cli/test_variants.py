"""Tables of variants: refused rows, damaged tables, and what becomes of variants without a score."""

import csv
import gzip
import io
import json

import pytest
from job import fasta, proteins, texts
from program import pleat
from scoring import exported, scores, table_of


def test_what_an_incomplete_merge_lacks_is_told(job):
    job.input("in.fasta", fasta(proteins(9, 5, 20)))
    job.keys["tasks"] = {"scoring": {"mode": "one_pass"}}
    table_of(job, [(f"p{i}", f"{sequence[0]}1W") for i, sequence in enumerate(proteins(9, 5, 20)) if sequence[0] != "W"])
    job.compute().close()
    whole = exported(job, "variants")
    for index in (1, 3):
        assert job.run("--shard", f"{index}/3").returncode == 0
    parts = [job.folder / f"out.shard-{index}-of-3.h5" for index in (1, 3)]
    merged = job.folder / "merged.h5"
    assert job.pleat("merge", *parts, "-o", merged, "--allow-missing").returncode == 0
    for what in ("variants", "scores"):
        for fail_on, status in (("any", 65), ("none", 0)):
            done = job.pleat("export", merged, "--format", "csv", "--what", what, "--output", "-", "--fail-on", fail_on)
            assert done.returncode == status and "lacks the records of shards 2" in done.stderr, done.stderr
    rows = list(csv.DictReader(io.StringIO(
        job.pleat("export", merged, "--format", "csv", "--what", "variants", "--output", "-").stdout)))
    assert len(rows) == len(whole)
    lacking = [row for row in rows if not row["score"]]
    assert lacking and all(row["error_code"] == "not_computed" for row in lacking)
    assert f"{len(lacking)} not computed" in job.pleat("inspect", merged).stdout
    done = job.pleat("export", parts[0], "--format", "csv", "--what", "variants", "--output", "-", "--fail-on", "any")
    assert done.returncode == 0 and "left out" not in done.stderr


BAD = {
    "p0,12V": ("bad_variant", "not a letter, a number and a letter"),
    "p0,M-1V": ("bad_variant", "not a letter, a number and a letter"),
    "p0,k1V": ("wrong_wild_type", "residue 1 is M"),
    "p0,M1J": ("bad_variant", "'J' is none of the 20 amino acids"),
    "p0,M1V:": ("bad_variant", "not a letter"),
    "p0,M1V:M1L": ("bad_variant", "twice"),
    "p0,M1K : A2V": ("wrong_wild_type", "residue 2 is K"),
    "p0,M0V": ("out_of_range", "residues 1 to 5"),
    "p0,Y6V": ("out_of_range", "residues 1 to 5"),
    "p0,": ("missing_value", "no id or no variant"),
    "nobody,A1V": ("unknown_id", "no record"),
    "bad,M1V": ("refused_record", "rejected"),
    "twice,M1V": ("ambiguous_id", "different sequences"),
    "p0,M1V,more,and more": ("bad_row", "4 values"),
}


def test_bad_variants_are_refused_one_by_one(job):
    job.input("in.fasta", ">p0\nMKTAY\n>bad\nMK-\n>twice\nMK\n>twice\nMR\n>same\nMKV\n>same\nMKV\n")
    job.keys["tasks"] = {"scoring": {"mode": "one_pass"}}
    table_of(job, [("p0", "M1V")])
    good = ["p0,M1V", "same,K2R", "p0,Y5V:M1K"]
    job.place("variants.csv", "\n".join(["id,variants", good[0], *BAD, *good[1:]]) + "\n")
    done = job.run("--summary-json", job.folder / "s.json")
    assert done.returncode == 65
    assert "17 variants, 14 refused" in done.stdout
    assert "5 variants refused with bad_variant" in done.stderr
    summary = json.loads((job.folder / "s.json").read_text())
    assert (summary["variants"], summary["variants_refused"], summary["exit_status"]) == (17, 14, 65)
    with job.open() as file:
        codes, messages = (texts(file[f"scores/table/{name}"]) for name in ("error_code", "message"))
        assert list(zip(codes, messages))[0] == ("", "")
        for row, (code, message) in enumerate(BAD.values(), 1):
            assert codes[row] == code and message in messages[row]
        assert codes[-2:] == ["", ""]
        assert scores(file, "p0")["variants"].keys() == {"M1V", "Y5V:M1K"}
        assert sorted(file["scores/variants/row"][:]) == [0, 15, 16]
    rows = exported(job, "variants")
    assert [bool(row["score"]) for row in rows] == [True] + 14 * [False] + [True, True]
    assert rows[1]["error_code"] == "bad_variant"
    assert "variants   17, 14 refused" in job.pleat("inspect", job.output).stdout
    assert job.pleat("verify", job.output, "--manifest", job.manifest()).returncode == 0
    for rows, told in (([("p0", "M1V")], "17 variants, and 1 in"), ([("p0", "M1V")] * 17, "row 1 is")):
        table_of(job, rows)
        found = job.pleat("verify", job.output, "--manifest", job.manifest())
        assert found.returncode == 65 and told in found.stdout
    # As for records.
    assert job.run("--overwrite", "--fail-on", "none").returncode == 0
    good_alone = "\n".join(["id,variants", *good])
    job.place("variants.csv", good_alone + "\n")
    assert job.run("--overwrite", "--fail-on", "all").returncode == 0


def test_a_quote_that_is_never_closed_costs_its_row(job):
    job.input("in.fasta", ">p0\nMKTAY\n")
    job.keys["tasks"] = {"scoring": {"mode": "one_pass", "variants": "variants.csv"}}
    job.place("variants.csv", 'id,variants\np0,K2R\np0,"M1V\n')
    done = job.run()
    assert done.returncode == 65 and "close the quote" in done.stderr
    with job.open() as file:
        assert texts(file["scores/table/error_code"]) == ["", "cut_off"]


@pytest.mark.parametrize(("text", "status", "told"), [
    ("id,mutant\np0,M1V\n", 66, "no column is called 'variants'"),
    ("PK\x03\x04", 66, "a workbook of a spreadsheet"),
    (b"\x1f\x8b\x08\x00\x00", 66, "variants.csv"),
    (None, 66, "variants.csv"),
    ("a folder", 66, "is a folder"),
])
def test_a_table_that_cannot_be_read_ends_the_run(job, text, status, told):
    job.input("in.fasta", ">p0\nMKTAY\n")
    job.keys["tasks"] = {"scoring": {"variants": "variants.csv"}}
    if text == "a folder":
        (job.folder / "variants.csv").mkdir()
        job.placed.add("variants.csv")
    elif text is not None:
        job.place("variants.csv", text)
    job.refused(status, told)


def test_of_a_table_that_breaks_off_the_sound_rows_are_scored(job):
    job.input("in.fasta", fasta(["MKTAYIAKQR"] * 2000))
    rows = [(f"p{i}", f"M1{'ACDEFGHIKL'[i % 10]}") for i in range(2000)]
    text = "id,variants\n" + "".join(f"{name},{variant}\n" for name, variant in rows)
    packed = gzip.compress(text.encode())
    job.place("variants.csv.gz", packed[: len(packed) * 3 // 4])
    job.keys["tasks"] = {"scoring": {"mode": "one_pass", "variants": "variants.csv.gz"}}
    done = job.run()
    assert done.returncode == 65 and "input with cut_off" in done.stderr, done.stderr
    with job.open() as file:
        codes = texts(file["scores/table/error_code"])
        assert 500 < len(codes) < 2000 and set(codes[:-1]) == {""}
        assert codes[-1] in ("", "cut_off")
        table = {name: file[f"inputs/{name}"][-1] for name in ("path", "problem", "format", "records")}
    assert table["path"].endswith(b"variants.csv.gz") and table["problem"] == b"cut_off"
    assert table["format"] == b"variants, gzip" and table["records"] == len(codes)
    assert job.pleat("verify", job.output, "--manifest", job.manifest()).returncode == 0


def test_a_table_is_not_written_over(job):
    job.input("in.fasta", ">p0\nMKTAY\n")
    job.keys["tasks"] = {"scoring": {}}
    table_of(job, [("p0", "M1V")])
    job.refused(73, "another part in this command", arguments=("--output", job.folder / "variants.csv", "--overwrite"))


def test_bench_device_does_not_look_at_variants(job):
    job.input("in.fasta", ">p0\nMKTAY\n")
    job.keys["tasks"] = {"scoring": {"mode": "one_pass"}}
    table_of(job, [("p0", "M1V")])
    done = pleat("bench-device", job.manifest(), env={"XDG_CACHE_HOME": str(job.folder), "PATH": "/usr/bin:/bin"})
    assert done.returncode == 0 and "refused" not in done.stderr, done.stderr
