"""Bad manifests, inputs and outputs: a clear message, the right exit status, nothing lost."""

import ctypes
import gzip
import os
import time
from pathlib import Path

import numpy as np
import pytest
import tiny_model
from job import LETTERS, MODEL, REPOSITORY, proteins, records, texts

GOOD = ">a\nACDEF\n"


LIBC = ctypes.CDLL(None, use_errno=True)


def obey_modes():
    """In a child before it becomes pleat: file modes bind it even when it is root's."""
    drop_bounding, override_modes, read_and_search = 24, 1, 2
    if os.geteuid() == 0:
        for capability in (override_modes, read_and_search):
            if LIBC.prctl(drop_bounding, capability, 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), "cannot give up a capability")


# The manifest

def test_missing_manifest(job):
    job.manifest = lambda: job.folder / "nowhere.yaml"
    job.refused(66, "nowhere.yaml", "No such file")


def test_unreadable_manifest(job):
    file = job.manifest()
    file.chmod(0)
    job.manifest = lambda: file
    job.refused(66, file, "Permission denied", preexec_fn=obey_modes)
    job.manifest = lambda: job.folder
    job.refused(66, job.folder, "is a folder")


MANIFESTS = {  # text after the four required keys -> words of the message
    "a tab": ("run:\n\tdevices: cpu\n", ":6:", "tab"),
    "an open bracket": ("tasks: [\n", ":6:"),
    "binary junk": ("\x00\x01\x02\n", ":5:"),
    "a list": ("- 1\n", ":5:"),
    "a key twice": ("output: other.h5\n", ":5:1", "output"),
    "an unknown key": ("task: {}\n", ":5:1", "task", "tasks"),
    "an unknown key below": ("run: {device: cpu}\n", ":5:7", "device", "devices"),
    "a wrong type": ("tasks: {logits: 7}\n", ":5:17", "tasks.logits", "true or false"),
    "a number too small": ("run: {max_tokens_per_batch: 1}\n", ":5:29", "run.max_tokens_per_batch", "8"),
    "a number too large": ("policy: {max_length: 99999999999999999999}\n", ":5:22", "policy.max_length"),
    "an unknown word": ("policy: {residues: drop}\n", ":5:20", "policy.residues", "convert"),
}


@pytest.mark.parametrize("case", MANIFESTS)
def test_bad_manifest(job, case):
    text, *words = MANIFESTS[case]
    job.input("in.fasta", GOOD)
    file = job.place("m.yaml", f"version: 1\nmodel: {MODEL}\ninputs: in.fasta\noutput: out.h5\n" + text)
    job.manifest = lambda: file
    job.refused(78, file, *words)


@pytest.mark.parametrize("text", ["", "just words", "[1, 2]", "version: 1\n", "\xff\xfe"])
def test_not_a_manifest(job, text):
    file = job.place("m.yaml", text.encode("latin-1"))
    job.manifest = lambda: file
    job.refused(78, file)


@pytest.mark.parametrize("override, word", [("policy.maxlength=1", "policy.max_length"),
                                            ("policy.max_length=x", "policy.max_length"),
                                            ("policy.max_length=-1", "policy.max_length"), ("tasks.logits=[", "tasks.logits")])
def test_bad_override(job, override, word):
    job.input("in.fasta", GOOD)
    job.refused(78, "--set", word, arguments=("--set", override))


@pytest.mark.parametrize("arguments", [("--progress", "loud"), ("--log-format", "xml"), ("--fail-on", "some"),
                                       ("--shards", "2"), ("--output",), ("--set", "run"), ("another.yaml",)])
def test_bad_usage(job, arguments):
    job.input("in.fasta", GOOD)
    done = job.run(*arguments)
    assert done.returncode == 64 and done.stdout == ""
    assert arguments[0] in done.stderr and len(done.stderr.splitlines()) <= 2
    assert job.left() == []


@pytest.mark.parametrize("words", [["frobnicate"], ["model", "frobnicate", "x"]])
def test_unknown_command(job, words):
    done = job.pleat(*words)
    assert done.returncode == 64 and done.stdout == ""
    assert done.stderr.splitlines() == ["There is no command 'frobnicate'", "Run with --help for more information."]


# What a model or a machine has not got

@pytest.mark.parametrize("layers", [[3], [-4], [0, 7], [-9223372036854775808]])
def test_layers_out_of_range(job, layers):
    job.input("in.fasta", GOOD)
    job.keys["tasks"] = {"embeddings": {"layers": layers}}
    job.refused(78, "tasks.embeddings.layers", str(layers[-1]), "from 0", "to 2")


def test_structure_needs_a_folding_model(job):
    job.input("in.fasta", GOOD)
    job.keys["tasks"] = {"structure": True}
    job.refused(78, "tasks.structure")


@pytest.mark.parametrize("devices", ["cuda", "cuda:0,1", "tpu", "cpu:x"])
def test_no_such_device(job, devices):
    job.input("in.fasta", GOOD)
    job.refused(69, devices, "cpu", arguments=("--devices", devices))


@pytest.mark.parametrize("precision", ["fp16", "tf32"])
def test_what_only_gpus_compute_in(job, precision):
    job.input("in.fasta", GOOD)
    job.refused(69, precision, "fp32", arguments=("--set", f"run.precision={precision}", "--devices", "cpu"))


# Input files as a whole

def test_missing_input(job):
    job.keys["inputs"] = ["more.csv"]
    job.refused(66, job.folder / "more.csv", "No such file")
    (job.folder / "folder").mkdir()
    job.placed.add("folder")
    job.keys["inputs"] = ["folder"]
    job.refused(66, "folder", "holds no file")
    job.keys["inputs"] = ["*.faa"]
    job.refused(66, "no file matches", "*.faa")
    job.place("names.txt", "# nothing\n")
    job.keys["inputs"] = ["@names.txt"]
    job.refused(66, "names.txt", "names no file")
    job.keys["inputs"] = ["@none.txt"]
    job.refused(66, "none.txt", "No such file")
    job.keys["inputs"] = ["-", "-"]
    job.refused(66, "given twice")


COMPRESSED = gzip.compress("".join(f">{i}\n{s}\n" for i, s in enumerate(proteins(200))).encode())
RANDOM = np.random.default_rng(1).bytes(20_000)
FILES = {
    "a sequence without a header": ("in.fasta", b"ACDEF\n>a\nACDEF\n", "line 1", "header"),
    "binary junk": ("in.fasta", RANDOM, "in.fasta"),
    "zeros": ("in.fasta", bytes(5000), "in.fasta"),
    "an executable": ("in.faa", b"\x7fELF" + bytes(range(256)) * 20, "in.faa"),
    "junk after a record": ("in.fasta", GOOD.encode() + b">b\n" + bytes(100), ":"),
    "a page of the web": ("in.fasta", b"<html>404</html>", "line 1", "<html>404</html>", "web page"),
    "gzip with a flipped byte": ("in.fasta.gz", COMPRESSED[:-6] + b"\0" + COMPRESSED[-5:], "in.fasta.gz"),
    "not gzip": ("in.fasta.gz", b"\x1f\x8b" + RANDOM, "in.fasta.gz"),
    "a table without the column": ("in.tsv", b"id\tletters\na\tACD\n", "in.tsv", "sequence", "a tab", "'letters'"),
    "a workbook": ("in.xlsx", b"PK\x03\x04xl", "in.xlsx", "workbook"),
}


@pytest.mark.parametrize("case", FILES)
def test_bad_file(job, case):
    name, content, *words = FILES[case]
    job.input(name, content)
    job.refused(66, job.folder / name, *words)


# Single records: refused, and the rest is written

RECORDS = {
    "a header without a sequence": (">bad\n", "empty_sequence", ""),
    "only white space": (">bad\n  \n\n", "empty_sequence", ""),
    "only a stop": (">bad\n*\n", "empty_sequence", ""),
    "a digit": (">bad\nACDE\nF7GH\n", "bad_residue", "'7' at position 6"),
    "a gap": (">bad\nACD-EF\n", "bad_residue", "'-' at position 4"),
    "a dot": (">bad\n.ACD\n", "bad_residue", "position 1"),
    "a stop inside": (">bad\nAC*DEF\n", "bad_residue", "position 3"),
    "UTF-8": (">bad\nACDÉF\n", "bad_residue", "position 4"),
    "an empty chain": (">bad\nACD::EF\n", "empty_chain", ""),
    "too long": (">bad\n" + "ACDEFGHIKL" * 10_000 + "\n", "too_long", "100000"),
}


@pytest.mark.parametrize("case", RECORDS)
def test_bad_record(job, case):
    text, code, words = RECORDS[case]
    job.input("in.fasta", ">first\nACDEF\n" + text + ">last\nGHI\n")
    job.keys["policy"] = {"max_length": 50_000}
    done = job.run()
    assert done.returncode == 65, done.stderr
    assert "3 records: 2 ok, 1 rejected, 0 failed" in done.stdout
    assert code in done.stderr
    with job.open() as file:
        told = records(file)
        assert told["first"] == told["last"] == ("ok", "", "")
        assert told["bad"][:2] == ("rejected", code) and words in told["bad"][2]
        assert list(file["records/sequence"]) == [0, -1, 1]
        assert file["sequences/residues"][:].tobytes() == b"ACDEFGHI"
        assert np.isfinite(file["embeddings/layer_02/per_residue"][:]).all()
    assert job.left() == ["out.h5"]


def test_bad_rows_of_a_table(job):
    job.input("in.csv", "id,sequence\na,ACD\nb\nc,\nd,AC1\ne,GHI\n")
    assert job.run().returncode == 65
    with job.open() as file:
        assert [status for status, _, _ in records(file).values()] == ["ok", "rejected", "rejected", "rejected", "ok"]


def test_nothing_but_bad_records_still_gives_a_file(job):
    job.input("in.fasta", ">a\nA1\n>b\n\n")
    job.keys["tasks"] = {"embeddings": {"bos": True}, "logits": True, "contacts": True}
    assert job.run().returncode == 65
    with job.open() as file:
        assert [status for status, _, _ in records(file).values()] == ["rejected"] * 2
        assert file["embeddings/layer_02/per_residue"].shape == (0, 64)
        assert file["embeddings/layer_02/mean"].shape == (0, 64)
        assert list(file["contacts/offsets"]) == [0] and file["logits"].shape == (0, 25)


IDS = ["../../etc/passwd", "a/b\\c", "sp|P01308|INS_HUMAN", "ünï-蛋白-🧬", "x" * 10_240, "..", "'", '"', "%s%n", "-o"]


def test_unusual_ids_are_kept_exactly(job):
    sequences = proteins(len(IDS), 5, 9)
    job.input("in.fasta", "".join(f">{i} α b\tc\n{s}\n" for i, s in zip(IDS, sequences)))
    spaced = ["two words", "a,b", 'quo"te', "línea"]
    quoted = ['"' + i.replace('"', '""') + '"' for i in spaced]
    job.input("in.csv", "id,sequence\n" + "".join(f"{i},{s}\n" for i, s in zip(quoted, sequences)))
    with job.compute() as file:
        assert texts(file["records/id"]) == IDS + spaced
        assert texts(file["records/description"])[: len(IDS)] == ["α b\tc"] * len(IDS)
    assert job.left() == ["out.h5"]
    assert not (job.folder.parent / "etc").exists()


# Very long sequences

def long_protein(length):
    return "".join(np.random.default_rng(2).choice(list(LETTERS), length))


def test_a_hundred_thousand_residues(job):
    job.keys["model"] = str(tiny_model.make(job.folder.parent / "tiny", width=8, layers=1, heads=1))
    sequence = long_protein(100_000)
    job.input("in.fasta", f">short\nACD\n>long\n{sequence}\n")
    with job.compute(timeout=300) as file:
        assert records(file)["long"] == ("ok", "", "")
        assert list(file["sequences/offsets"]) == [0, 3, 100_003]
        values = file["embeddings/layer_01/per_residue"]
        assert values.shape == (100_003, 8) and np.isfinite(values[:]).all()


def free_memory():
    (line,) = [line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable:")]
    return 1024 * int(line.split()[1])


def test_contacts_of_a_hundred_thousand_residues_are_refused_in_time(job):
    """Ten thousand million pairs: the run must neither crash nor be ended by the system."""
    length = max(100_000, int((free_memory() / 8) ** 0.5))  # of pairs in float32, twice what a large machine holds
    job.keys["model"] = str(tiny_model.make(job.folder.parent / "tiny", width=8, layers=1, heads=1))
    job.keys["tasks"] = {"contacts": True}
    job.input("in.fasta", f">short\nACD\n>long\n{long_protein(length)}\n>long_too\n{long_protein(length)}\n")
    started = time.monotonic()
    done = job.run("--set", "run.max_tokens_per_batch=1048576")
    assert done.returncode == 65, done.stderr
    assert "2 records with does_not_fit" in done.stderr
    assert time.monotonic() - started < 30
    with job.open() as file:
        told = records(file)
        assert told["short"] == ("ok", "", "")
        assert told["long"][:2] == ("rejected", "does_not_fit") and f"{length} residues" in told["long"][2]
        assert list(file["records/sequence"]) == [0, -1, -1]
        assert file["contacts/values"].shape == (9,)


# Outputs

OUTPUTS = {
    "in a missing folder": ("nowhere/out.h5", "does not exist"),
    "below a file": ("file/out.h5", "is not a folder"),
    "in a folder of the system": ("/proc/out.h5", "/proc/out.h5"),
    "a folder": (".", "not a file"),
    "no name": ("folder/", "folder"),
    "a name too long": ("x" * 300, "File name too long"),
}


@pytest.mark.parametrize("case", OUTPUTS)
def test_output_that_cannot_be_made(job, case):
    output, word = OUTPUTS[case]
    job.input("in.fasta", GOOD)
    job.place("file", "precious")
    job.keys["output"] = output
    job.refused(73, word)
    assert (job.folder / "file").read_text() == "precious"


def test_read_only_folder(job):
    job.input("in.fasta", GOOD)
    (job.folder / "shut").mkdir(mode=0o555)
    job.placed.add("shut")
    job.keys["output"] = "shut/out.h5"
    job.refused(73, "Permission denied", preexec_fn=obey_modes)
    assert os.listdir(job.folder / "shut") == []


def test_unreadable_input(job):
    job.input("in.fasta", GOOD).chmod(0)
    job.refused(66, job.folder / "in.fasta", "Permission denied", preexec_fn=obey_modes)


def test_work_folder_that_cannot_be_made(job):
    job.input("in.fasta", GOOD)
    file = job.place("file", "precious")
    job.refused(73, file, arguments=("--work-dir", file))
    job.refused(73, "/proc/work", arguments=("--work-dir", "/proc/work"))


@pytest.mark.parametrize("name", ["in.fasta", "manifest.yaml", "link"])
def test_what_is_read_is_not_overwritten(job, name):
    job.input("in.fasta", GOOD)
    (job.folder / "link").symlink_to("in.fasta")
    job.placed.add("link")
    job.refused(73, name, arguments=("--overwrite", "--output", job.folder / name))
    job.refused(73, name, arguments=("--overwrite", "--summary-json", job.folder / name))
    assert (job.folder / "in.fasta").read_text() == GOOD and (job.folder / "link").is_symlink()


def test_result_and_summary_are_two_files(job):
    job.input("in.fasta", GOOD)
    job.refused(73, "out.h5", arguments=("--summary-json", job.folder / "../job/out.h5"))


def test_existing_output_is_kept_by_a_run_that_fails_later(job):
    job.input("in.fasta", GOOD)
    job.output.write_text("precious")
    job.keys["model"] = str(job.folder)
    job.refused(66, "config.json", arguments=("--overwrite",))
    job.keys["model"] = str(REPOSITORY / "tests")
    job.refused(66, "config.json", arguments=("--overwrite",))


def test_summary_that_cannot_be_written(job):
    job.input("in.fasta", GOOD)
    job.refused(73, "no/summary.json", arguments=("--summary-json", job.folder / "no/summary.json"))
    job.refused(73, "is a folder", arguments=("--summary-json", job.folder))
    # What cannot be foreseen costs the summary, not the results.
    (job.folder / "s.json.partial").mkdir()
    job.placed.add("s.json.partial")
    done = job.run("--summary-json", job.folder / "s.json")
    assert done.returncode == 73 and "s.json.partial" in done.stderr
    assert job.left() == ["out.h5"]


@pytest.mark.parametrize(
    "option", ["--output", "--devices", "--work-dir", "--cache", "--max-time", "--shard", "--summary-json"]
)
def test_an_empty_option_is_not_one_that_was_not_given(job, option):
    """As of a script whose variable is not set: every task of an array would compute everything."""
    job.input("in.fasta", ">a\nACD\n")
    done = job.run(option, "")
    assert done.returncode == 64 and f"{option}: is empty" in done.stderr, done.stderr
    assert job.left() == []
