"""`tasks.scoring`: what a plain loop over transformers computes, whatever the batches, in every kind of run."""

import csv
import gzip
import io
import json
import math

import h5py
import numpy as np
import pytest
from job import MODEL, REPOSITORY, Job, contents, fasta, proteins, texts
from program import pleat

GOLDEN = sorted((REPOSITORY / "tests/data/scores").glob("*.json"))
LETTERS = "ACDEFGHIKLMNPQRSTVWY"
# Between two programs in float32: logits agree within 2e-5 of the largest, which is about 10 in these models.
CLOSE = {"rtol": 1e-5, "atol": 5e-4}
METHODS = ["masked_marginals", "wildtype_marginals", "pll_ratio"]
TABLE = "id,variants\np0,{0[0]}1W\np1,{1[1]}2C:{1[3]}4C\np0,{0[2]}3A\n"


def golden(case):
    return json.loads(case.read_text())["sequences"]


def scores(file, name):
    """Path -> the scores of a record."""
    row = file["records/sequence"][texts(file["records/id"]).index(name)]
    begin, end = file["sequences/offsets"][row : row + 2]
    group = file["scores"]
    found = {"pseudo_perplexity": group["pseudo_perplexity"][row], "log_probability": group["log_probability"][begin:end]}
    if "substitutions" in group:
        found["substitutions"] = group["substitutions"][begin:end]
    if "variants" in group:
        first, last = group["variants/offsets"][row : row + 2]
        names = texts(group["table/variant"])
        found["variants"] = {names[place]: score for place, score in zip(group["variants/row"][first:last],
                                                                         group["variants/score"][first:last])}
    return found


def scoring_job(folder, sequences, model=MODEL, **scoring):
    job = Job(folder, model)
    job.input("in.fasta", fasta(sequences))
    job.keys["tasks"] = {"scoring": scoring or True}
    return job


def table_of(job, rows):
    job.place("variants.csv", "id,variants\n" + "".join(f"{name},{variant}\n" for name, variant in rows))
    job.keys["tasks"]["scoring"]["variants"] = "variants.csv"


def exported(job, what, *arguments):
    done = job.pleat("export", job.output, "--format", "csv", "--what", what, "--output", "-", *arguments)
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


def test_the_golden_data_is_there():
    assert len(GOLDEN) >= 2
    assert all(any(":" in entry["sequence"] for entry in golden(case)) for case in GOLDEN)


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.stem)
@pytest.mark.parametrize(("mode", "name"), [("exact", "log_probability"), ("one_pass", "one_pass")])
def test_sequences_are_scored_as_by_transformers(case, mode, name, tmp_path):
    told = golden(case)
    job = scoring_job(tmp_path, [entry["sequence"] for entry in told], REPOSITORY / "tests/data/esm2" / case.stem,
                      mode=mode)
    with job.compute("--set", "run.precision=fp32") as file:
        assert "embeddings" not in file and "substitutions" not in file["scores"]
        for number, entry in enumerate(told):
            found = scores(file, f"p{number}")
            expected = np.array(entry[name])
            np.testing.assert_allclose(found["log_probability"], expected, **CLOSE)
            np.testing.assert_allclose(found["pseudo_perplexity"], math.exp(-expected.mean()), rtol=1e-3)
    assert job.pleat("verify", job.output, "--manifest", job.manifest()).returncode == 0


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.stem)
@pytest.mark.parametrize("mode", ["exact", "one_pass"])
@pytest.mark.parametrize("method", METHODS[:2])
def test_all_substitutions_are_scored_as_by_transformers(case, mode, method, tmp_path):
    told = golden(case)
    job = scoring_job(tmp_path, [entry["sequence"] for entry in told], REPOSITORY / "tests/data/esm2" / case.stem,
                      mode=mode, variants="all_single", method=method)
    with job.compute("--set", "run.precision=fp32") as file:
        assert "".join(file["scores/substitutions"].attrs["alphabet"]) == LETTERS
        for number, entry in enumerate(told):
            np.testing.assert_allclose(scores(file, f"p{number}")["substitutions"], entry[method], **CLOSE)
    assert job.pleat("verify", job.output).returncode == 0


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.stem)
@pytest.mark.parametrize("mode", ["exact", "one_pass"])
@pytest.mark.parametrize("method", METHODS)
def test_variants_of_a_table_are_scored_as_by_transformers(case, mode, method, tmp_path):
    told = golden(case)
    job = scoring_job(tmp_path, [entry["sequence"] for entry in told], REPOSITORY / "tests/data/esm2" / case.stem,
                      mode=mode, method=method)
    rows = [(f"p{number}", variant["variant"]) for number, entry in enumerate(told) for variant in entry["variants"]]
    assert any(":" in variant for _, variant in rows)
    table_of(job, rows[::2] + rows[1::2])
    with job.compute("--set", "run.precision=fp32") as file:
        for number, entry in enumerate(told):
            found = scores(file, f"p{number}")["variants"]
            assert found.keys() == {variant["variant"] for variant in entry["variants"]}
            for variant in entry["variants"]:
                # A ratio adds up twice as many logarithms as there are residues.
                tolerance = 5e-4 * (len(entry["sequence"]) if method == "pll_ratio" else 4)
                assert found[variant["variant"]] == pytest.approx(variant[method], abs=tolerance, rel=1e-5)
    assert job.pleat("verify", job.output, "--manifest", job.manifest()).returncode == 0


def test_a_scan_by_ratios_is_a_table_of_all(tmp_path):
    sequence = "MKX:AC"
    for folder in ("scan", "table"):
        (tmp_path / folder).mkdir()
    scan = scoring_job(tmp_path / "scan", [sequence], variants="all_single", method="pll_ratio", mode="one_pass")
    table = scoring_job(tmp_path / "table", [sequence], method="pll_ratio", mode="one_pass")
    residues = sequence.replace(":", "")
    table_of(table, [("p0", f"{there}{place}{letter}") for place, there in enumerate(residues, 1) for letter in LETTERS
                     if letter != there])
    with scan.compute() as first, table.compute() as second:
        matrix = scores(first, "p0")["substitutions"]
        for variant, score in scores(second, "p0")["variants"].items():
            assert matrix[int(variant[1:-1]) - 1, LETTERS.index(variant[-1])] == score
        assert [matrix[place, LETTERS.index(there)] for place, there in enumerate(residues) if there != "X"] == [0] * 4


PROTEINS = proteins(12, 5, 40) + ["ACDEF:GHIKLM:NPQ"]
# What runs of every kind are to agree about; the last with other tasks in the same passes.
KINDS = [
    {"mode": "exact", "variants": "all_single", "method": "masked_marginals"},
    {"mode": "one_pass", "method": "pll_ratio", "table": True},
    {"mode": "one_pass", "method": "masked_marginals", "table": True},
    {"mode": "exact", "method": "wildtype_marginals", "table": True, "logits": True},
]


@pytest.fixture(params=KINDS, ids=["scan", "ratios", "marginals", "with_logits"])
def scored(request, job):
    kind = dict(request.param)
    job.input("in.fasta", fasta(PROTEINS) + ">again\n" + PROTEINS[2] + "\n>bad\nMK-\n")
    job.keys["policy"] = {"fail_on": "none"}
    with_table, with_logits = kind.pop("table", False), kind.pop("logits", False)
    job.keys["tasks"] = {"scoring": kind, "logits": with_logits}
    if with_table:
        rows = [(f"p{number}", f"{sequence[2]}3W:{sequence[0]}1Y") for number, sequence in enumerate(PROTEINS)]
        rows += [("p0", f"{PROTEINS[0][1]}2L"), ("again", f"{PROTEINS[2][3]}4E"), ("bad", "M1K"), ("nobody", "A1C"),
                 ("p1", f"{PROTEINS[1][0]}1A"), ("p1", f"{PROTEINS[1][0]}1A")]
        table_of(job, rows)
    return job


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_bits_do_not_depend_on_batches(scored, precision):
    expected = None
    for run in ({}, {"max_tokens_per_batch": 8}, {"max_tokens_per_batch": 333}, {"devices": "cpu*3"}):
        scored.keys["run"] = {"precision": precision} | run
        with scored.compute("--overwrite") as file:
            found = {path: value for path, value in contents(file).items() if not path.startswith("/manifest")}
        expected = expected or found
        assert found == expected


def test_merged_shards_are_the_whole(scored):
    with scored.compute() as file:
        expected = contents(file)
    parts = []
    for index in (1, 2, 3):
        assert scored.run("--shard", f"{index}/3").returncode == 0
        parts.append(scored.folder / f"out.shard-{index}-of-3.h5")
        assert scored.pleat("verify", parts[-1]).returncode == 0
    merged = scored.folder / "merged.h5"
    done = scored.pleat("merge", *parts[::-1], "-o", merged)
    assert done.returncode == 0, done.stderr
    with h5py.File(merged) as file:
        assert contents(file) == expected


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


def test_a_run_that_was_cut_off_goes_on(scored):
    with scored.compute() as file:
        expected = contents(file)
    scored.output.unlink()
    # The first result is written, and then the run is killed: the journal's lines behind it are cut off.
    with scored.start("--progress", "json", "--set", "run.max_tokens_per_batch=8") as process:
        for line in process.stderr:
            if line.startswith("{") and json.loads(line)["sequences_done"] > 1:
                break
        process.kill()
    done = scored.run()
    assert done.returncode == 0, done.stderr
    with scored.open() as file:
        found = contents(file)
    for path in ("/manifest_overrides", "/manifest_sha256"):
        expected.pop(path), found.pop(path)
    assert found == expected


def test_another_table_is_not_resumed(job):
    job.input("in.fasta", fasta(proteins(400, 100, 150)))
    job.keys["tasks"] = {"scoring": {"method": "masked_marginals"}}
    first = proteins(400, 100, 150)[0][0]
    table_of(job, [("p0", f"{first}1W")])
    with job.start("--progress", "json") as process:
        for line in process.stderr:
            if line.startswith("{") and json.loads(line)["sequences_done"] > 0:
                break
        process.terminate()
    table_of(job, [("p0", f"{first}1Y")])
    done = job.run()
    assert done.returncode == 73 and "cannot resume" in done.stderr, done.stderr


def test_the_cache_knows_variants_by_what_they_are(scored):
    cache = ["--cache", scored.folder / "cache", "--overwrite"]
    with scored.compute(*cache) as file:
        expected = contents(file)
    with scored.compute(*cache) as file:
        assert contents(file) == expected
        assert set(texts(file["records/device"])) == {"cache", ""}
    if "variants.csv" not in scored.placed:
        return
    table_of(scored, [("p3", f"{PROTEINS[3][0]}1W")])
    with scored.compute(*cache) as file:
        of_cache = dict(zip(texts(file["records/id"]), texts(file["records/device"])))
        assert of_cache["p3"] != "cache"
        changed = scores(file, "p3")["variants"]
    with scored.compute("--overwrite") as file:
        assert scores(file, "p3")["variants"] == changed


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
])
def test_a_table_that_cannot_be_read_ends_the_run(job, text, status, told):
    job.input("in.fasta", ">p0\nMKTAY\n")
    job.keys["tasks"] = {"scoring": {"variants": "variants.csv"}}
    if text is not None:
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


def test_words_and_paths_of_an_option(job):
    job.input("in.fasta", ">p0\nMKTAY\n")
    job.place("t.csv", "id,variants\np0,M1V\n")
    with job.compute("--set", "tasks.scoring.variants=all_single") as file:
        assert file["scores/substitutions"].shape == (5, 20)
    with job.compute("--set", "tasks.scoring.variants=t.csv", "--overwrite", cwd=job.folder) as file:
        assert texts(file["scores/table/variant"]) == ["M1V"]
    with job.compute("--set", "tasks.scoring.variants=none", "--overwrite") as file:
        assert sorted(file["scores"]) == ["log_probability", "pseudo_perplexity"]


def test_export_and_inspect(job):
    job.input("in.fasta", '>a\nMKT:AY\n>"b,c"\nMK\n>bad\nM-\n')
    job.keys |= {"tasks": {"scoring": {"variants": "all_single"}}, "policy": {"fail_on": "none"}}
    with job.compute() as file:
        found = scores(file, "a")
    rows = exported(job, "scores")
    assert [(row["id"], row["residues"]) for row in rows] == [("a", "5"), ('"b,c"', "2")]
    assert np.float32(rows[0]["pseudo_perplexity"]) == found["pseudo_perplexity"]
    rows = exported(job, "residue_scores", "--id", "a")
    assert [row["chain"] + row["position"] + row["residue"] for row in rows] == ["A1M", "A2K", "A3T", "B1A", "B2Y"]
    assert [np.float32(row["log_probability"]) for row in rows] == list(found["log_probability"])
    rows = exported(job, "variants", "--id", "a")
    assert len(rows) == 5 * 19 and rows[0]["variant"] == "M1A" and rows[-1]["variant"] == "Y5W"
    assert np.float32(rows[3 * 19]["score"]) == found["substitutions"][3, LETTERS.index("C")]
    done = job.pleat("export", job.output, "--format", "npz", "--what", "scores", "--output", job.folder / "x.npz")
    assert done.returncode == 64 and "--format csv" in done.stderr
    shown = json.loads(job.pleat("inspect", job.output, "--json", "--records", "3").stdout)["first_records"]
    assert np.float32(shown[0]["pseudo_perplexity"]) == found["pseudo_perplexity"]
    assert "pseudo_perplexity" not in shown[2]
    assert f"pseudo-perplexity {found['pseudo_perplexity']:.2f}" in job.pleat("inspect", job.output, "--records", "1").stdout


def test_what_has_no_scores_says_so(job):
    job.input("in.fasta", ">a\nMKT\n")
    job.compute().close()
    for what in ("scores", "residue_scores", "variants"):
        done = job.pleat("export", job.output, "--format", "csv", "--what", what, "--output", "-")
        assert done.returncode == 64 and "has no scores" in done.stderr


def test_a_folding_model_is_refused(tmp_path):
    job = scoring_job(tmp_path, ["MK"], REPOSITORY / "tests/data/esmfold/wide_pair")
    job.refused(78, "tasks.scoring", "no head for logits", "ESM-2")


def plan(job):
    done = job.pleat("plan", job.manifest(), "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_plans_count_the_copies(tmp_path):
    job = scoring_job(tmp_path, ["MKTAY", "ACDEFGHIKL"], mode="one_pass")
    tokens = (7, 12)
    one = plan(job)
    assert one["model_tokens"] == sum(tokens)
    job.keys["tasks"]["scoring"] = {"mode": "exact"}
    exact = plan(job)
    assert exact["model_tokens"] == 5 * 7 + 10 * 12
    assert exact["flops"] == pytest.approx(one["flops"] * 8.4, rel=0.2)
    job.keys["tasks"] |= {"logits": True}
    assert plan(job)["model_tokens"] == 6 * 7 + 11 * 12
    job.keys["tasks"] = {"scoring": {"mode": "one_pass", "variants": "all_single", "method": "pll_ratio"}}
    assert plan(job)["model_tokens"] == (1 + 5 + 19 * 25) * 7 + (1 + 10 + 19 * 100) * 12
    table_of(job, [("p0", "M1V"), ("p0", "M1A:K2A"), ("p0", "M1V"), ("p1", "A1C"), ("p1", "C1A")])
    planned = plan(job)
    assert planned["model_tokens"] == (1 + 5 + 2 * 5) * 7 + (1 + 10 + 10) * 12
    assert (planned["variants"], planned["variants_refused"], planned["records"]) == (5, 1, 2)
    job.keys["tasks"]["scoring"]["method"] = "masked_marginals"
    assert plan(job)["model_tokens"] == (1 + 2) * 7 + (1 + 1) * 12
    done = job.run("--summary-json", tmp_path / "s.json")
    assert done.returncode == 65
    assert json.loads((tmp_path / "s.json").read_text())["tokens"] == 3 * 7 + 2 * 12


def test_bench_device_does_not_look_at_variants(job):
    job.input("in.fasta", ">p0\nMKTAY\n")
    job.keys["tasks"] = {"scoring": {"mode": "one_pass"}}
    table_of(job, [("p0", "M1V")])
    done = pleat("bench-device", job.manifest(), env={"XDG_CACHE_HOME": str(job.folder), "PATH": "/usr/bin:/bin"})
    assert done.returncode == 0 and "refused" not in done.stderr, done.stderr
