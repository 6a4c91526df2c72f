"""`tasks.scoring`: what a plain loop over transformers computes, whatever the batches, in every kind of run."""

import json
import math

import h5py
import numpy as np
import pytest
from job import REPOSITORY, contents, fasta, proteins, texts
from scoring import exported, scores, scoring_job, table_of

GOLDEN = sorted((REPOSITORY / "tests/data/scores").glob("*.json"))
LETTERS = "ACDEFGHIKLMNPQRSTVWY"
# Between two programs in float32: logits agree within 2e-5 of the largest, which is about 10 in these models.
CLOSE = {"rtol": 1e-5, "atol": 5e-4}
METHODS = ["masked_marginals", "wildtype_marginals", "pll_ratio"]
TABLE = "id,variants\np0,{0[0]}1W\np1,{1[1]}2C:{1[3]}4C\np0,{0[2]}3A\n"


def golden(case):
    return json.loads(case.read_text())["sequences"]


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


def test_plans_count_the_copies(tmp_path):
    job = scoring_job(tmp_path, ["MKTAY", "ACDEFGHIKL"], mode="one_pass")
    tokens = (7, 12)
    one = job.plan()
    assert one["model_tokens"] == sum(tokens)
    job.keys["tasks"]["scoring"] = {"mode": "exact"}
    exact = job.plan()
    assert exact["model_tokens"] == 5 * 7 + 10 * 12
    assert exact["flops"] == pytest.approx(one["flops"] * 8.4, rel=0.2)
    job.keys["tasks"] |= {"logits": True}
    assert job.plan()["model_tokens"] == 6 * 7 + 11 * 12
    job.keys["tasks"] = {"scoring": {"mode": "one_pass", "variants": "all_single", "method": "pll_ratio"}}
    assert job.plan()["model_tokens"] == (1 + 5 + 19 * 25) * 7 + (1 + 10 + 19 * 100) * 12
    table_of(job, [("p0", "M1V"), ("p0", "M1A:K2A"), ("p0", "M1V"), ("p1", "A1C"), ("p1", "C1A")])
    planned = job.plan()
    assert planned["model_tokens"] == (1 + 5 + 2 * 5) * 7 + (1 + 10 + 10) * 12
    assert (planned["variants"], planned["variants_refused"], planned["records"]) == (5, 1, 2)
    job.keys["tasks"]["scoring"]["method"] = "masked_marginals"
    assert job.plan()["model_tokens"] == (1 + 2) * 7 + (1 + 1) * 12
    done = job.run("--summary-json", tmp_path / "s.json")
    assert done.returncode == 65
    assert json.loads((tmp_path / "s.json").read_text())["tokens"] == 3 * 7 + 2 * 12
