"""Inputs as people have them: where they are, what is in them, and what is wrong beside what is good."""

import bz2
import gzip
import hashlib
import json
import lzma
import os
import subprocess

import pytest
from job import PLEAT, records, texts

GOOD = ">a\nACDEF\n"


def zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout


def inputs(file):
    """Path -> the other columns of /inputs."""
    group = file["inputs"]
    columns = [texts(group[name]) if name not in ("bytes", "records") else list(group[name]) for name in
               ("path", "bytes", "sha256", "records", "format", "problem", "message")]
    return {row[0]: row[1:] for row in zip(*columns)}


def ids(job, *arguments, status=0, **options):
    done = job.run(*arguments, **options)
    assert done.returncode == status, done.stderr
    with job.open() as file:
        found = texts(file["records/id"])
    job.output.unlink()
    return found


# Where inputs are

def test_folders_patterns_lists_and_standard_input(job):
    folder = job.folder / "more"
    folder.mkdir()
    job.placed.add("more")
    for name in ("b.1.faa", "a.pep", ".hidden.faa"):
        (folder / name).write_text(f">{name}\nACDEF\n")
    (folder / "README").write_text("Please read me.\n")
    (folder / "deeper").mkdir()
    job.place("x[1].fa", ">x1\nACDEF\n")
    job.place("names.txt", "# the files\nmore/b.1.faa\n\n  x[1].fa\r\n")
    cases = {
        "more": ["a.pep", "b.1.faa"],
        "more/": ["a.pep", "b.1.faa"],
        "more/*.faa": ["b.1.faa"],
        "m*/?.pep": ["a.pep"],
        "x[1].fa": ["x1"],
        "@names.txt": ["b.1.faa", "x1"],
        "${PLEAT_TEST_MORE}/a.pep": ["a.pep"],
        "~/a.pep": ["a.pep"],
    }
    environment = os.environ | {"PLEAT_TEST_MORE": str(folder), "HOME": str(folder)}
    for given, expected in cases.items():
        job.keys["inputs"] = [given]
        assert ids(job, env=environment) == expected, given
        # An option takes it from where one stands; quotes are for YAML.
        job.keys["inputs"] = ["elsewhere.fasta"]
        assert ids(job, "--set", f"inputs={given}", cwd=job.folder, env=environment) == expected, given
    job.keys["inputs"] = ["-"]
    assert ids(job, stdin=open(folder / "a.pep")) == ["a.pep"]
    job.keys["inputs"] = ["more"]
    assert "passed over" in job.run("--overwrite").stderr


def test_a_pipe(job):
    job.keys["inputs"] = ["elsewhere.fasta"]
    job.place("z.gz", gzip.compress(GOOD.encode()))
    command = f"{PLEAT} run {job.manifest()} --set inputs=- < <(zcat {job.folder}/z.gz)"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    command = f"{PLEAT} run {job.manifest()} --overwrite --set inputs=<(cat {job.folder}/z.gz)"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with job.open() as file:
        assert texts(file["records/id"]) == ["a"]


def test_two_and_a_half_thousand_files(job):
    folder = job.folder / "many"
    folder.mkdir()
    job.placed.add("many")
    names = [f"file-with-a-rather-long-name-{i:04}.fasta" for i in range(2500)]
    for name in names:
        (folder / name).write_text(f">{name}\nACDEF\n")
    job.place("names.txt", "".join(f"{folder}/{name}\n" for name in names))
    job.keys["inputs"] = ["@names.txt"]
    assert ids(job) == names


def test_a_map_names_columns(job):
    job.place("t.txt", "Gene;Letters\ng1;ACDEF\n")
    job.keys["inputs"] = [{"file": "t.txt", "columns": {"id": "Gene", "sequence": "Letters"}, "delimiter": ";"}]
    assert ids(job) == ["g1"]
    job.keys["inputs"] = ["t.txt"]
    job.refused(66, "no column for the id", "';'", "'Gene', 'Letters'", "columns: {id: A, sequence: B}")


def test_an_unset_variable_is_an_error(job):
    job.keys["inputs"] = ["${PLEAT_TEST_UNSET}/a.fasta"]
    job.refused(78, "PLEAT_TEST_UNSET", "not set")


def test_a_name_that_yaml_cuts(job):
    file = job.place("m.yaml", f"version: 1\nmodel: {job.keys['model']}\ninputs: a.fa\noutput: out #1.h5\n")
    job.manifest = lambda: file
    job.refused(78, "m.yaml:4:9", "'out'", "'#1.h5'", "quotes")


def test_what_matches_nothing_is_missing_beside_good_inputs(job):
    job.input("good.faa", GOOD)
    (job.folder / "none").mkdir()
    job.placed.add("none")
    job.keys["inputs"] += ["*.fas", "none", "@lists.txt", "$HOME/x.faa", "~nobody/x.faa"]
    done = job.run()
    assert done.returncode == 65, done.stderr
    for text in ("no file matches", "none' holds no file", "lists.txt'", "is written ${NAME}", "only ~/ at the start"):
        assert text in done.stderr, text
    with job.open() as file:
        assert [row[4] for row in inputs(file).values()] == [""] + ["missing"] * 5
        assert texts(file["records/id"]) == ["a"]


def test_files_of_names_as_editors_write_them(job):
    job.place("a.faa", GOOD)
    job.place("names.txt", b"\xef\xbb\xbfa.faa\r\n")
    job.keys["inputs"] = ["@names.txt"]
    assert ids(job) == ["a"]
    job.keys["inputs"] = ["@a.faa"]
    job.refused(66, "a name in each line, and holds FASTA", "leave the @")
    job.place("names.gz", gzip.compress(b"a.faa\n"))
    job.keys["inputs"] = ["@names.gz"]
    job.refused(66, "holds binary data")


# What is in them

def test_a_line_of_any_bytes_is_quoted(job):
    job.place("good.faa", GOOD)
    job.input("bytes.faa", b"\x83\xa7 not text \xff\n")
    job.keys["inputs"].append("good.faa")
    done = job.run("--log-format", "json", "--summary-json", job.folder / "summary.json")
    assert done.returncode == 65, done.stderr
    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert any("\ufffd\ufffd not text \ufffd" in str(line) for line in told)
    assert "\ufffd not text" in json.loads((job.folder / "summary.json").read_text())["inputs"][0]["message"]


def test_titles_of_pir_are_not_computed(job):
    job.input("a.pir", ">P1;CRAB_ANAPL\nALPHA CRYSTALLIN B CHAIN\n  MDITIHNPLI*\n")
    job.refused(66, "looks like PIR", "'>P1;CRAB_ANAPL'")


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress, zstd])
@pytest.mark.parametrize("name", ["a.fas", "a.txt.gz", "a", "a.csv"])
def test_names_do_not_decide(job, name, pack):
    job.input(name, pack(GOOD.encode()))
    assert ids(job) == ["a"]


def test_nucleotides(job):
    job.input("cds.fasta", ">gene1 CDS\nATGAAAACCGCATATATTGCGAAACAG\n>p\nMKTAYIAKQR\n")
    done = job.run()
    assert done.returncode == 0 and "1 record with nucleotides" in done.stderr
    done = job.run("--overwrite", "--set", "policy.nucleotides=reject")
    assert done.returncode == 65
    with job.open() as file:
        assert records(file)["gene1"][:2] == ("rejected", "nucleotides")
    done = job.run("--overwrite", "--set", "policy.nucleotides=ignore")
    assert done.returncode == 0 and "nucleotides" not in done.stderr


# Damaged, empty or missing beside good ones

PACKED = gzip.compress("".join(f">r{i}\nACDEFGHIKL{'W' * (i % 9)}\n" for i in range(3000)).encode())


def test_what_is_good_is_computed(job):
    job.input("good.faa", GOOD)
    job.input("noorfs.faa", "")
    job.input("cut.faa.gz", PACKED[: len(PACKED) // 2])
    damaged = bytearray(PACKED)
    damaged[-8] ^= 1
    job.input("damaged.faa.gz", bytes(damaged))
    job.input("page.html", "<html></html>")
    job.keys["inputs"].append("missing.faa")
    done = job.run("--summary-json", job.folder / "summary.json", "--set", "tasks.embeddings={per_residue: false}")
    assert done.returncode == 65, done.stderr
    for name in ("cut.faa.gz", "damaged.faa.gz", "page.html", "missing.faa"):
        assert name in done.stderr and name in done.stdout
    assert "noorfs.faa' holds no record" in done.stderr
    with job.open() as file:
        found = {os.path.basename(path): row for path, row in inputs(file).items()}
        told = list(zip(texts(file["records/id"]), texts(file["records/error_code"])))
    problems = {name: row[4] for name, row in found.items()}
    assert problems == {"good.faa": "", "noorfs.faa": "empty", "cut.faa.gz": "cut_off", "damaged.faa.gz": "damaged",
                        "page.html": "unknown", "missing.faa": "missing"}
    for name in ("good.faa", "cut.faa.gz", "damaged.faa.gz"):
        data = (job.folder / name).read_bytes()
        assert found[name][0] == len(data) and found[name][1] == hashlib.sha256(data).hexdigest()
    assert found["good.faa"][2:4] == (1, "fasta") and found["cut.faa.gz"][3] == "fasta, gzip"
    assert found["damaged.faa.gz"][2] == 0 and found["missing.faa"][:2] == (0, "")
    # The records before the break are whole; the one in it is rejected.
    assert len(told) == 1 + found["cut.faa.gz"][2] and told[0] == ("a", "")
    assert told[-1][1] == "cut_off" and {code for _, code in told[:-1]} == {""}
    assert [name for name, _ in told[1:-1]] == [f"r{i}" for i in range(len(told) - 2)]
    summary = json.loads((job.folder / "summary.json").read_text())
    assert [row["problem"] for row in summary["inputs"]] == ["", "empty", "cut_off", "damaged", "unknown", "missing"]
    shown = job.pleat("inspect", job.output).stdout
    assert "INPUT      with cut_off" in shown and "noorfs" not in shown
    table = job.pleat("inspect", job.output, "--table", "problems").stdout.splitlines()
    assert [line.split("\t")[1] for line in table[1:]] == ["input"] * 4 + ["rejected"]
    rows = job.pleat("inspect", job.output, "--table", "inputs").stdout.splitlines()
    assert len(rows) == 7 and rows[0].split("\t")[0] == "path"
    assert job.pleat("verify", job.output).returncode == 0
    job.output.unlink()
    assert ids(job, "--fail-on", "none")[0] == "a"


@pytest.mark.parametrize("content", ["", "\n\n", "id,sequence\n", gzip.compress(b"")])
def test_an_empty_input_gives_a_file_without_records(job, content):
    job.input("empty.fasta", content)
    job.keys["tasks"] = {"embeddings": {"bos": True}, "logits": True, "contacts": True}
    done = job.run()
    assert done.returncode == 0, done.stderr
    assert "holds no record" in done.stderr and "0 records: 0 ok" in done.stdout
    assert "nan" not in done.stdout
    with job.open() as file:
        assert file["records/id"].shape == (0,) and list(file["sequences/offsets"]) == [0]
        assert list(inputs(file).values())[0][4] == "empty"
    assert job.pleat("verify", job.output).returncode == 0
    assert job.pleat("export", job.output, "--format", "fasta", "--output", job.folder / "s.fasta").returncode == 0


def test_inputs_of_shards_are_merged(job):
    job.input("good.faa", GOOD + ">b\nGHIKL\n")
    job.input("page.html", "<html></html>")
    for index in (1, 2):
        assert job.run("--shard", f"{index}/2").returncode == 65
    done = job.pleat("merge", "--shards", 2, "--output", job.output)
    assert done.returncode == 0, done.stderr
    with job.open() as file:
        assert [row[4] for row in inputs(file).values()] == ["", "unknown"]
        assert texts(file["records/id"]) == ["a", "b"]
    assert job.pleat("verify", job.output).returncode == 0


# Messages

def test_a_folder_named_in_latin1(job):
    folder = os.fsencode(job.folder) + b"/M\xfcller"
    os.mkdir(folder)
    with open(folder + b"/s.fasta", "w") as file:
        file.write(GOOD)
    job.placed.add(os.fsdecode(b"M\xfcller"))
    job.keys["inputs"] = ["elsewhere.fasta"]
    command = [PLEAT.encode(), b"run", os.fsencode(job.manifest()), b"--output", folder + b"/out.h5",
               b"--summary-json", folder + b"/summary.json"]
    done = subprocess.run(command + [b"--set", b"inputs=-"], capture_output=True, stdin=open(folder + b"/s.fasta"))
    assert done.returncode == 0, done.stderr
    with open(folder + b"/summary.json") as file:
        assert "M\ufffdller" in json.load(file)["output"]
    done = subprocess.run([PLEAT.encode(), b"plan", os.fsencode(job.manifest()), b"--json", b"--set", b"inputs=-"],
                          capture_output=True, stdin=open(folder + b"/s.fasta"))
    assert done.returncode == 0 and json.loads(done.stdout)["records"] == 1


def test_a_closed_pipe_is_no_error(job):
    job.input("in.fasta", "".join(f">r{i} {'x' * 100}\nACDEF\n" for i in range(3000)))
    assert job.run("--set", "tasks.embeddings={per_residue: false}").returncode == 0
    for command in (["inspect", job.output, "--table", "all"],
                    ["export", job.output, "--format", "fasta", "--output", "-"]):
        shell = " ".join(map(str, [PLEAT, *command])) + " | head -n 1; echo ${PIPESTATUS[0]}"
        done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True)
        assert done.stdout.splitlines()[-1] == "0" and done.stderr == "", done.stderr


def test_options_that_make_no_sense_together(job):
    job.input("in.fasta", GOOD)
    assert job.run().returncode == 0
    assert job.pleat("inspect", job.output, "--json", "--table", "all").returncode == 64
    assert job.pleat("inspect", job.output, "--records", 1, "--table", "all").returncode == 64
    done = job.pleat("inspect", job.output, "--records", -1)
    assert done.returncode == 64 and len(done.stderr) < 300


def test_a_file_size_limit_has_its_own_hint(job):
    job.input("in.fasta", "".join(f">r{i}\n{'ACDEFGHIKL' * (1 + i % 7)}\n" for i in range(400)))
    command = f"ulimit -f 100; {PLEAT} run {job.manifest()}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.returncode == 75 and "ulimit -f" in done.stderr, done.stderr


@pytest.mark.parametrize("text", ["03:55:00", "1-02:00:00", "1-02", "55:00", "3h55m", "14100"])
def test_lengths_of_time(job, text):
    job.input("in.fasta", GOOD)
    assert job.run("--max-time", text).returncode == 0


@pytest.mark.parametrize("text", ["03:75:00", "1:2:3:4", "-1:00", "1-", ":", "00:00:00", "1-02:xx"])
def test_wrong_lengths_of_time(job, text):
    job.input("in.fasta", GOOD)
    job.refused(64, "is no length of time", "03:55:00", arguments=(f"--max-time={text}",))
