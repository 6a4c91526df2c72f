"""`pleat report`: the page itself, without a browser. tests/report looks at it in one."""

import base64
import gzip
import hashlib
import re
import shutil

import h5py
import numpy as np
import pytest
from job import fasta, proteins, records
from page import Page
from program import pleat
from structure_results import Results

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "closing": "</script><img src=x onerror=alert(1)>",
    "quotes": "\"'`&amp;{{data}}",
    "direction": "gnp.\u202ePDB\u200b",
    "long": "x" * 10_000,
}


def report(*arguments):
    return pleat("report", *arguments)


def page_of(file, *arguments):
    output = file.parent / "report.html"
    done = report(file, "-o", output, "--overwrite", *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{output}\n"
    return Page(output.read_text())


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    results = Results()
    row = results.sequence("ACDEFGHIKLM:ACD")
    for name, text in HOSTILE.items():
        results.record(text, row, description=text, message=text if name != "long" else "")
        results.record(f"bad {name}", -1, status=1, code=text[:100], message=text)
    results.untrained = "These weights are <b>pseudo-random</b>."
    return results.write(tmp_path_factory.mktemp("hostile") / "results.h5")


def test_embeddings_of_a_run(job):
    sequences = proteins(30)
    job.input("in.fasta", fasta(sequences, [f"p{i}" for i in range(29)] + ["last"]) + ">bad\nA1C\n")
    done = job.run("--fail-on", "none")
    assert done.returncode == 0, done.stderr
    page = page_of(job.output)
    meta, table = page.blob("data-table")
    with job.open() as file:
        stored = records(file)
        assert table["id"] == list(stored)
        assert [meta["status"][i] for i in table["status"]] == [status for status, _, _ in stored.values()]
        assert [table["message.texts"][i] for i in table["message"]] == [message for _, _, message in stored.values()]
        np.testing.assert_array_equal(table["seconds"], file["records/seconds"][:].astype(np.float32))
        assert file.attrs["model_sha256"] in page.text
    assert list(table["length"]) == [*map(len, sequences), 0]
    assert list(table["chains"]) == [1] * 30 + [0]
    assert not meta["structures"]
    assert 'data-column="perplexity"' not in page.html
    assert "Clean the input: gaps" in page.text
    assert "31" in page.text and "last" in page.text


def test_scores(job):
    sequences = proteins(3, 5, 20)
    job.input("in.fasta", fasta(sequences) + ">bad\nA1C\n")
    job.keys["tasks"] = {"scoring": {"mode": "one_pass"}}
    assert job.run("--fail-on", "none").returncode == 0
    page = page_of(job.output)
    _, table = page.blob("data-table")
    with job.open() as file:
        stored = file["scores/pseudo_perplexity"][:]
    np.testing.assert_array_equal(table["perplexity"], [*stored, np.nan])
    assert 'data-column="perplexity"' in page.html
    assert all(f"{value:.2f}" in page.html for value in stored)


def test_structures(hostile):
    with h5py.File(hostile) as file:
        row = file["records/sequence"][0]
        expected = file["structures/mean_plddt"][row], file["structures/ptm"][row]
    meta, table = page_of(hostile).blob("data-table")
    assert meta["structures"]
    assert (table["plddt"][0], table["ptm"][0]) == expected
    assert table["chains"][0] == 2
    assert np.isnan(table["plddt"][1]) and table["length"][1] == 0


def test_hostile_texts_are_shown_and_never_run(hostile):
    page = page_of(hostile)
    kinds = [attributes.get("type") for attributes, _ in page.scripts]
    assert kinds.count(None) == 1 and set(kinds) <= {None, "application/x-pleat"}
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert not any(tag in ("img", "iframe", "object", "embed", "b", "link", "base") for tag, _ in page.tags)
    assert not any("src" in attributes or attributes.get("href", "#")[0] != "#" for _, attributes in page.tags)
    _, table = page.blob("data-table")
    assert table["id"][::2] == list(HOSTILE.values())
    for text in (HOSTILE["script"], HOSTILE["closing"], HOSTILE["quotes"], HOSTILE["long"]):
        assert text in page.text
    assert "\u202e" not in page.html and "⟨U+202E⟩" in page.text
    assert "These weights are <b>pseudo-random</b>." in page.text


def test_policy_names_what_is_there_and_no_more(hostile):
    page = page_of(hostile)
    assert page.policy.startswith("default-src 'none'; ")
    assert "unsafe" not in page.policy and "http" not in page.policy

    def named(text):
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"

    (script,) = [text for attributes, text in page.scripts if not attributes]
    (style,) = re.findall(r"<style>(.*?)</style>", page.html, re.S)
    assert named(script) in re.search(r"script-src ([^;]*)", page.policy)[1].split()
    assert [named(style)] == re.search(r"style-src ([^;]*)", page.policy)[1].split()
    assert "style" not in {name for _, attributes in page.tags for name in attributes}


def test_several_files(job, hostile):
    job.input("in.fasta", fasta(proteins(3)))
    job.compute().close()
    page = Page("")
    done = report(job.output, hostile, "-o", job.folder / "both.html", "--multiqc", job.folder / "pleat_mqc.tsv")
    assert done.returncode == 0, done.stderr
    page = Page((job.folder / "both.html").read_text())
    meta, table = page.blob("data-table")
    assert meta["files"] == ["out.h5", "results.h5"]
    assert list(table["file"]) == [0] * 3 + [1] * (2 * len(HOSTILE))
    lines = (job.folder / "pleat_mqc.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    assert rows[0][:4] == ["Sample", "Records", "OK", "Rejected"]
    assert [row[:4] for row in rows[1:]] == [["out", "3", "3", "0"], ["results", "10", "5", "5"]]


def test_no_records(job):
    job.input("in.fasta", "")
    assert job.run("--fail-on", "none").returncode == 0
    page = page_of(job.output)
    assert "There are no records" in page.text
    assert page.blob("data-table")[1]["id"] == []


def test_the_same_page_again(hostile):
    assert page_of(hostile).html == page_of(hostile).html


def refused(status, text, *arguments):
    done = report(*arguments)
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    assert text in done.stderr


def test_bad_input(hostile, tmp_path):
    output = tmp_path / "r.html"
    refused(66, "no.h5", tmp_path / "no.h5", "-o", output)
    (tmp_path / "half.h5.work").mkdir()
    refused(66, "its run has not ended", tmp_path / "half.h5", "-o", output)
    (tmp_path / "text.h5").write_text("no HDF5\n")
    refused(65, "text.h5", tmp_path / "text.h5", "-o", output)
    newer = shutil.copy(hostile, tmp_path / "newer.h5")
    with h5py.File(newer, "r+") as file:
        file.attrs["schema_version"] = np.int32(99)
    refused(65, "version 99", newer, "-o", output)
    cut = tmp_path / "cut.h5"
    cut.write_bytes(hostile.read_bytes()[:-2000])
    refused(65, "cut.h5", cut, "-o", output)
    refused(73, "has another part in this command", hostile, "-o", hostile, "--overwrite")
    refused(73, "no such", hostile, "-o", tmp_path / "no such/r.html")
    output.write_text("mine")
    refused(73, "is there already", hostile, "-o", output)
    assert output.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut.h5", "half.h5.work", "newer.h5", "r.html", "text.h5"]


def test_damaged_data(job):
    job.input("in.fasta", fasta(proteins(40)))
    job.compute().close()
    with job.open() as file:
        chunk = file["records/seconds"].id.get_chunk_info(0)
    data = bytearray(job.output.read_bytes())
    data[chunk.byte_offset + chunk.size // 2] ^= 0x55
    job.output.write_bytes(data)
    refused(65, "records/seconds", job.output, "-o", job.folder / "r.html")


def test_a_file_that_is_not_complete(hostile, tmp_path):
    file = shutil.copy(hostile, tmp_path / "part.h5")
    with h5py.File(file, "r+") as opened:
        opened.attrs["complete"] = np.uint8(0)
    assert "is not complete" in page_of(file).text


COLORS = {  # tables, and the words of their colors
    "another delimiter, a comment, quotes": (b'# mine\nid;Kind;more\na;"r;d";1\n', ["r;d"]),
    "a byte order mark, ids in the first column": ("\ufeffname|kind\na|red\nb|NA\nc|blue\n".encode(), ["blue", "red"]),
    "compressed": (gzip.compress(b"id\tkind\na\tred\n"), ["red"]),
}
BAD_COLORS = {  # tables, the status, and words of the message
    "two values": (b"id,kind\na,red\na,blue\n", 65, "two values for 'a'"),
    "another column": (b"id,kin\na,red\n", 64, "are 'id', 'kin'"),
    "nothing": (b"", 64, "it is empty"),
    "an open quote": (b'id,kind\na,"red\n', 65, "a quote is never closed"),
    "a column twice": (b"id,kind,kind\na,red,x\n", 65, "two columns are named 'kind'"),
    "too many values": (b"id,kind\na,red,x,y\n", 65, "line 2: 4 values"),
    "a workbook": (b"PK\x03\x04", 65, "a workbook of a spreadsheet"),
    "other ids": (b"id,kind\nz,red\n", 65, "none of the records"),
}


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    results = Results()
    row = results.sequence("ACD")
    for name in "abc":
        results.record(name, row)
    return results.write(tmp_path_factory.mktemp("colors") / "results.h5")


@pytest.mark.parametrize("case", COLORS)
def test_colors_are_read_as_tables_of_sequences_are(three, case):
    text, words = COLORS[case]
    table = three.parent / "colors"
    table.write_bytes(text)
    _, arrays = page_of(three, "--color", f"{table}:kind").blob("data-table")
    assert arrays["color.texts"] == words


@pytest.mark.parametrize("case", BAD_COLORS)
def test_bad_tables_of_colors(three, case):
    text, status, told = BAD_COLORS[case]
    table = three.parent / "colors"
    table.write_bytes(text)
    refused(status, told, three, "-o", three.parent / "bad.html", "--color", f"{table}:kind")
