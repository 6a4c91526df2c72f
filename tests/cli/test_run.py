"""`pleat run` as a user meets it, when all goes well."""

import gzip
import json
import os
import pty
import subprocess

import numpy as np
import pytest
from job import CONFIG, MODEL, PLEAT, fasta, numbers, proteins, records, rows_by_sequence, texts

WIDTH = CONFIG["hidden_size"]
DEPTH = CONFIG["num_hidden_layers"]
ROWS = [("a", "ACDEF"), ("b", "GHIKLMN"), ("c", "PQ")]


def table(separator):
    return separator.join(["id", "sequence"]) + "\n" + "".join(f"{i}{separator}{s}\n" for i, s in ROWS)


FASTA = "".join(f">{i}\n{s}\n" for i, s in ROWS)
INPUTS = {
    "x.fasta": FASTA,
    "x.fa": FASTA.replace("\n", "\r\n"),
    "x.faa": FASTA.lower().replace("pq", "pq*"),
    "x.csv": table(","),
    "x.tsv": table("\t"),
    "x.fasta.gz": gzip.compress(FASTA.encode()),
    "x.csv.gz": gzip.compress(table(",").encode()),
    "x.tsv.gz": gzip.compress(table("\t").encode()),
}


@pytest.mark.parametrize("name", INPUTS)
def test_each_kind_of_input(job, name):
    job.input(name, INPUTS[name])
    with job.compute() as file:
        assert [i.lower() for i in texts(file["records/id"])] == [i for i, _ in ROWS]
        assert file["sequences/residues"][:].tobytes().decode() == "".join(s for _, s in ROWS)
        assert list(file["records/status"]) == [0, 0, 0]
        values = file[f"embeddings/layer_{DEPTH:02d}/per_residue"][:]
        assert values.shape == (14, WIDTH) and values.dtype == np.float16 and np.isfinite(values).all()
    assert job.left() == ["out.h5"]


def test_several_inputs_keep_their_order(job):
    job.input("one.csv", "sequence,other,id\nACD,1,z\n")
    job.input("two.fasta.gz", gzip.compress(b">y described here\nEFG\n"))
    job.input("three.tsv", "id\tsequence\nx\tHIK\n")
    with job.compute() as file:
        assert texts(file["records/id"]) == ["z", "y", "x"]
        assert texts(file["records/description"]) == ["", "described here", ""]


def test_what_is_printed_and_what_is_written(job):
    job.input("in.fasta", FASTA)
    done = job.run("--summary-json", job.folder / "summary.json")
    assert done.returncode == 0, done.stderr
    first, second, third = done.stdout.splitlines()
    assert first == "3 records: 3 ok, 0 rejected, 0 failed"
    assert second.startswith("3 unique sequences, 14 residues, ") and "peak memory" in second
    assert third.startswith(f"results: {job.output} (")
    assert "loaded" in done.stderr
    summary = json.loads((job.folder / "summary.json").read_text())
    assert job.left() == ["out.h5", "summary.json"]
    assert summary["output"] == str(job.output) and summary["file_bytes"] == job.output.stat().st_size
    expected = {"exit_status": 0, "records": 3, "ok": 3, "rejected": 0, "failed": 0, "skipped": 0, "sequences": 3,
                "residues": 14, "tokens": 20, "model": str(MODEL), "precision": "float32", "untrained_weights": False}
    assert {key: summary[key] for key in expected} == expected
    for key in ("seconds_total", "seconds_startup", "seconds_forward", "seconds_finish", "residues_per_second"):
        assert summary[key] > 0, key
    assert summary["seconds_total"] >= summary["seconds_startup"] + summary["seconds_forward"]
    assert 20e6 < summary["peak_rss_bytes"] < 1e9
    linear = 2 * DEPTH * (4 * WIDTH**2 + 2 * WIDTH * CONFIG["intermediate_size"])
    assert summary["linear_flops_per_token"] == linear


def test_version():
    done = subprocess.run([PLEAT, "--version"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stderr == ""
    assert len(done.stdout.splitlines()) == 1 and done.stdout[0].isdigit()


def test_set_wins_over_the_manifest_and_an_option_over_set(job):
    job.input("in.fasta", FASTA)
    job.keys["tasks"] = {"embeddings": {"layers": [-1], "mean": True}}
    other = job.folder / "other.h5"
    done = job.run("--set", "tasks.embeddings={layers: [0, 1], per_residue: false, dtype: float32}",
                   "--set", "output=wrong.h5", "--set", "run.devices=cuda", "--devices", "cpu", "--output", other)
    assert done.returncode == 0, done.stderr
    assert job.left() == ["other.h5"]
    job.output = other
    with job.open() as file:
        assert sorted(numbers(file)) == ["embeddings/layer_00/mean", "embeddings/layer_01/mean"]
        assert file["embeddings/layer_00/mean"].dtype == np.float32


def test_paths_of_the_manifest_are_relative_to_it_and_options_to_where_one_stands(job, tmp_path):
    job.input("in.fasta", FASTA)
    (tmp_path / "here").mkdir()
    assert job.run(cwd=tmp_path / "here").returncode == 0
    assert job.left() == ["out.h5"] and os.listdir(tmp_path / "here") == []
    assert job.run("--output", "o.h5", "--summary-json", "s.json", cwd=tmp_path / "here").returncode == 0
    assert sorted(os.listdir(tmp_path / "here")) == ["o.h5", "s.json"]


def test_work_dir(job, tmp_path):
    job.input("in.fasta", FASTA)
    work = tmp_path / "a" / "b"
    with job.compute("--work-dir", work):
        assert job.left() == ["out.h5"]
    assert not work.exists()
    work.mkdir(parents=True, exist_ok=True)
    (work / "mine").write_text("x")
    with job.compute("--work-dir", work, "--overwrite"):
        assert os.listdir(work) == ["mine"]


def test_overwrite(job):
    job.input("in.fasta", FASTA)
    job.output.write_text("precious")
    job.refused(73, job.output, "--overwrite")
    assert job.output.read_text() == "precious"
    with job.compute("--overwrite") as file:
        assert len(file["records/id"]) == 3


BAD = {"some": (">a\nACD\n>b\nA1\n", {"any": 65, "all": 0, "none": 0}),
       "every": (">a\nA-D\n>b\nA1\n", {"any": 65, "all": 65, "none": 0}),
       "no": (">a\nACD\n", {"any": 0, "all": 0, "none": 0})}


@pytest.mark.parametrize("fail_on", ["any", "all", "none"])
@pytest.mark.parametrize("bad", BAD)
def test_fail_on(job, bad, fail_on):
    content, status = BAD[bad]
    job.input("in.fasta", content)
    job.keys["policy"] = {"fail_on": "none" if fail_on == "any" else "any"}  # which the option overrides
    assert job.run("--fail-on", fail_on, "--summary-json", job.folder / "s").returncode == status[fail_on]
    assert json.loads((job.folder / "s").read_text())["exit_status"] == status[fail_on]
    job.keys["policy"]["fail_on"] = fail_on
    assert job.run("--overwrite").returncode == status[fail_on]
    with job.open() as file:
        assert len(file["records/id"]) == content.count(">")


def test_progress_json(job):
    sequences = proteins(200)
    job.input("in.fasta", fasta(sequences))
    done = job.run("--progress", "json")
    events = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert len(events) >= 2
    assert {event["event"] for event in events} == {"progress"}
    assert events[0]["sequences_done"] == 0 and events[0]["seconds_left"] == -1
    assert [event["sequences_done"] for event in events] == sorted(event["sequences_done"] for event in events)
    last = events[-1]
    assert last["sequences_done"] == last["sequences"] == 200
    assert last["residues_done"] == last["residues"] == sum(map(len, sequences))
    assert last["residues_per_second"] > 0 and last["seconds_left"] == pytest.approx(0, abs=1e-6)


def test_progress_none_and_plain(job):
    job.input("in.fasta", FASTA)
    assert "residues/s" not in job.run("--progress", "none").stderr
    plain = job.run("--overwrite").stderr
    assert "3/3 sequences" in plain and "\r" not in plain and "\x1b" not in plain


def on_a_terminal(job, *arguments):
    """What a run shows there on stderr."""
    main, side = pty.openpty()
    process = job.start(*arguments, stderr=side)
    os.close(side)
    shown = b""
    try:
        while piece := os.read(main, 4096):
            shown += piece
    except OSError:  # Linux's way to say that the other side is closed
        pass
    os.close(main)
    assert process.wait(timeout=60) == 0
    process.stdout.close()
    return shown.decode()


def test_progress_on_a_terminal(job):
    job.input("in.fasta", fasta(proteins(300, 200, 400)))
    shown = on_a_terminal(job)
    assert "\r300/300 sequences, " in shown and "residues/s, 0:00 left\x1b[K\r\n" in shown
    assert shown.endswith("\n")
    for line in on_a_terminal(job, "--overwrite", "--log-format", "json").splitlines():
        json.loads(line)


def test_stdout_that_cannot_be_written(job):
    job.input("in.fasta", FASTA)
    with open("/dev/full", "w") as full:
        assert job.run(stdout=full).returncode == 74
    with job.open() as file:
        assert file.attrs["complete"] == 1


def test_without_an_environment(job):
    job.input("in.fasta", FASTA)
    with job.compute(env={}, cwd="/") as file:
        assert len(file["records/id"]) == 3


def test_json_log_is_json_whatever_is_in_it(job):
    name = 'quo"te back\\slash.fasta'
    job.input(name, '>same"id\\\nACD\n>same"id\\\nAC1\n>same"id\\\nJJJ\n')
    done = job.run("--log-format", "json", "--progress", "json")
    assert done.returncode == 65
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    log = [line for line in lines if "event" not in line]
    assert len(log) < len(lines)
    assert all(set(line) == {"time", "level", "message"} for line in log)
    assert {"info", "warning"} <= {line["level"] for line in log}
    assert any('same"id\\' in line["message"] for line in log)
    (job.folder / name).unlink()
    failures = [(66, name, ())]
    strange = f"no\nsuch\t\x1b\x7ffolder{os.sep}é.h5"
    failures.append((73, strange, ("--output", job.folder / strange)))
    for status, text, arguments in failures:
        if status == 73:
            job.place(name, ">a\nACD\n")
        done = job.run("--log-format", "json", "--overwrite", *arguments)
        assert done.returncode == status, done.stderr
        errors = [line for line in map(json.loads, done.stderr.splitlines()) if line["level"] == "error"]
        assert text in errors[0]["message"]


def test_duplicates_share_a_row_unless_asked_otherwise(job):
    job.input("in.fasta", ">a\nACDEF\n>b\nGHI\n>c\nacdef\n")
    with job.compute() as file:
        assert list(file["records/sequence"]) == [0, 1, 0]
        assert list(file["sequences/offsets"]) == [0, 5, 8]
    job.keys["policy"] = {"duplicates": "separate"}
    with job.compute("--overwrite") as file:
        assert list(file["records/sequence"]) == [0, 1, 2]
        assert list(file["sequences/offsets"]) == [0, 5, 8, 13]
        values = file[f"embeddings/layer_{DEPTH:02d}/per_residue"][:]
        assert (values[:5] == values[8:]).all()


def test_duplicate_ids_stay_apart_with_a_warning(job):
    job.input("in.fasta", ">a\nACDEF\n>a\nGHI\n")
    done = job.run()
    assert done.returncode == 0 and "warning" in done.stderr and "'a'" in done.stderr
    with job.open() as file:
        assert texts(file["records/id"]) == ["a", "a"] and list(file["records/sequence"]) == [0, 1]


def test_chains_have_no_linker_in_the_file(job):
    job.input("in.fasta", ">pair\nACDEF:GHI\n>joined\nACDEFGHI\n>linked\nACDEF" + "G" * 25 + "GHI\n")
    job.keys["tasks"] = {"embeddings": {"bos": True, "dtype": "float32"}, "logits": True, "contacts": True}
    with job.compute() as file:
        assert list(file["sequences/offsets"]) == [0, 8, 16, 49]
        assert list(file["sequences/chain"][:8]) == [0] * 5 + [1] * 3
        assert list(file["contacts/offsets"]) == [0, 64, 128, 128 + 33 * 33]
        group = file[f"embeddings/layer_{DEPTH:02d}"]
        pair, linked = group["per_residue"][:8], group["per_residue"][16:]
        # The model saw the linker: what is kept are the rows around it.
        kept = [*range(5), *range(30, 33)]
        assert (pair == linked[kept]).all()
        assert not np.array_equal(pair, group["per_residue"][8:16])
        np.testing.assert_allclose(group["mean"][0], pair.mean(axis=0, dtype=np.float64), rtol=1e-6, atol=1e-7)
        contacts = file["contacts/values"][:]
        assert (contacts[:64].reshape(8, 8) == contacts[128:].reshape(33, 33)[np.ix_(kept, kept)]).all()
        assert (file["logits"][:8] == file["logits"][16:][kept]).all()


def test_all_layers_logits_and_contacts(job):
    job.input("in.fasta", FASTA)
    job.keys["tasks"] = {"embeddings": {"layers": [2, -2, 0, -1, -3, 1], "bos": True}, "logits": True, "contacts": True}
    with job.compute() as file:
        assert sorted(file["embeddings"]) == [f"layer_{i:02d}" for i in range(DEPTH + 1)]
        assert "".join(file["logits"].attrs["alphabet"]) == "ACDEFGHIKLMNPQRSTVWYXBUZO"
        assert file["logits"].shape == (14, 25)
        assert file["contacts/values"].shape == (25 + 49 + 4,)


def test_tasks_alone(job):
    job.input("in.fasta", FASTA)
    job.keys["tasks"] = {"contacts": True}
    with job.compute() as file:
        assert sorted(numbers(file)) == ["contacts/offsets", "contacts/values"]
    job.keys["tasks"] = {"embeddings": False, "logits": True}
    with job.compute("--overwrite") as file:
        assert sorted(numbers(file)) == ["logits"]


def test_bits_do_not_depend_on_batches_or_order(job):
    sequences = [*proteins(60, 1, 150), "M", "AC:DEF", "W" * 700]
    job.keys["tasks"] = {"embeddings": {"layers": [0, 1, -1], "bos": True, "dtype": "float32"}, "logits": True,
                         "contacts": True}
    job.input("in.fasta", fasta(sequences))
    with job.compute("--set", "run.max_tokens_per_batch=8") as file:
        alone = rows_by_sequence(file)
    for budget, seed in ((100, 1), (1024, 2), (1048576, 3), ("auto", 4)):
        shuffled = list(np.random.default_rng(seed).permutation(sequences))
        job.input("in.fasta", fasta(shuffled))
        with job.compute("--set", f"run.max_tokens_per_batch={budget}", "--overwrite") as file:
            together = rows_by_sequence(file)
        assert together.keys() == alone.keys()
        for residues, arrays in alone.items():
            for path, values in arrays.items():
                assert np.array_equal(values, together[residues][path]), (budget, len(residues), path)


def test_strict_and_convert(job):
    job.input("in.fasta", ">a\nacdJef*\n>b\nACD\n")
    with job.compute() as file:
        assert records(file)["a"][:2] == ("ok", "residues_converted")
        assert file["sequences/residues"][:6].tobytes() == b"ACDXEF"
    assert job.run("--set", "policy.residues=strict", "--overwrite").returncode == 65
    with job.open() as file:
        assert records(file)["a"][0] == "rejected" and records(file)["b"] == ("ok", "", "")
