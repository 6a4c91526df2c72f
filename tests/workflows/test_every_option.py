"""Every parameter of the Nextflow pipeline, every key of the Snakemake workflow and every variable of the SLURM scripts,
with every value that their documentation lists, in a run. What there is comes from their own files."""

import re

import pytest
import yaml
from engines import FOLD_MODEL, REPOSITORY, assert_reported, run
from test_nextflow import PIPELINE, Pipeline
from test_slurm import SCRIPTS, slurm  # noqa: F401
from test_snakemake import WORKFLOW, Workflow

EXPORTS = ["pdb", "cif", "fasta"]
FAIL_ON = ["none", "all", "any"]
# Besides what test_nextflow.py gives always: --model, --outdir, --cpus, --memory.
NEXTFLOW = {
    "input": ["sheet.csv"],
    "manifest": ["manifest.yaml"],
    "model": ["esmfold_v1"],
    "models": ["models"],
    "shards": [1, 2],
    "export": EXPORTS,
    "fail_on": FAIL_ON,
    "outdir": ["out"],
    "overwrite": [True],
    "state": ["state"],
    "pleat_image": ["pleat:other"],
    "cpus": [1],
    "memory": ["1 GB"],
    "time": ["1 h"],
}
SNAKEMAKE = {
    "samples": [{"one": "one.fasta", "two": ["one.fasta", "@names.txt"]}],
    "manifest": ["manifest.yaml"],
    "model": ["esmfold_v1"],
    "models": ["models"],
    "shards": [1, 2],
    "export": ["", *EXPORTS],
    "state": ["state"],
    "options": ["--fail-on none", "--fail-on all"],
    "export_options": ["--fail-on none", "--fail-on all", "--fail-on any"],
    "report_options": ["", "--structures 1"],
    "image": ["other.sif"],
    "threads": [1],
    "mem_mb": [1000],
    "gpus": [0],
    "runtime": [10],
    "retries": [0, 1],
}


def write_folding_job(folder):
    (folder / "one.fasta").write_text(">good\nMKTAYIAKQR\n>more\nMKTAYIAW\n")
    (folder / "names.txt").write_text("one.fasta\n")
    (folder / "sheet.csv").write_text("sample,sequences\none,one.fasta\n")
    (folder / "manifest.yaml").write_text(
        "version: 1\nmodel: m\ninputs: [i.fasta]\noutput: o.h5\ntasks: {structure: {num_recycles: 0}}\n"
    )
    (folder / "models").mkdir()
    (folder / "models/esmfold_v1").symlink_to(FOLD_MODEL)


def files_in(archive):
    return run("tar", "tzf", archive).stdout


def test_every_parameter_of_nextflow_has_a_run():
    block = re.search(r"^params \{\n(.*?)^\}", (PIPELINE / "nextflow.config").read_text(), re.M | re.S)[1]
    assert set(re.findall(r"^    (\w+) ", block, re.M)) == set(NEXTFLOW)
    rows = re.findall(r"^\| (`--.*?) \|", (PIPELINE / "README.md").read_text(), re.M)
    assert {name for row in rows for name in re.findall(r"`--(\w+)`", row)} == set(NEXTFLOW)


@pytest.mark.parametrize("index", range(3))
def test_parameters_of_nextflow(tmp_path, index):
    write_folding_job(tmp_path)
    given = {name: values[index % len(values)] for name, values in NEXTFLOW.items()}
    pipeline = Pipeline(tmp_path, given["model"])
    (tmp_path / "out").mkdir()
    (tmp_path / "out/one.h5").write_text("replaced")
    words = [word for name, value in given.items() if name not in ("model", "outdir", "cpus", "memory")
             for word in ([f"--{name}"] if value is True else [f"--{name}", value])]
    pipeline(*words)
    shown = run(pipeline.environment.get("PLEAT"), "inspect", pipeline.result("one"), "--table", "all").stdout
    assert [line.split("\t")[0] for line in shown.splitlines()[1:]] == ["good", "more"]
    listing = files_in(tmp_path / f"out/one.{given['export']}.tar.gz")
    assert ("sequences.fasta" if given["export"] == "fasta" else f"good.{given['export']}") in listing
    # pleat has made it, and has left nothing in it.
    assert [path for path in (tmp_path / "state").rglob("*") if path.is_file()] == []
    assert_reported(tmp_path / "out", "one", ok=2)


@pytest.mark.parametrize(("parameter", "value"), [("export", "xyz"), ("fail_on", "some")])
def test_other_values_are_refused(tmp_path, parameter, value):
    write_folding_job(tmp_path)
    output = Pipeline(tmp_path, FOLD_MODEL)("--input", "one.fasta", f"--{parameter}", value, status=1)
    assert f"--{parameter} {value}: it is" in output


@pytest.mark.parametrize(("fail_on", "status"), [("any", 1), ("none", 0)])
def test_fail_on_reaches_run_and_export(tmp_path, fail_on, status):
    write_folding_job(tmp_path)
    (tmp_path / "one.fasta").write_text(">good\nMKTAYIAKQR\n>allx\nXXXX\n")
    output = Pipeline(tmp_path, FOLD_MODEL)("--input", "one.fasta", "--export", "pdb", "--fail_on", fail_on,
                                            status=status)
    assert ("PLEAT_EXPORT" in output and "65" in output) == (status == 1)


def test_every_key_of_snakemake_has_a_run():
    schema = yaml.safe_load((WORKFLOW / "workflow/schemas/config.schema.yaml").read_text())
    assert set(schema["properties"]) == set(SNAKEMAKE)
    for name, key in schema["properties"].items():
        assert set(key.get("enum", [])) <= set(SNAKEMAKE[name] if "enum" in key else [])


@pytest.mark.parametrize("index", range(4))
def test_keys_of_snakemake(tmp_path, index):
    write_folding_job(tmp_path)
    workflow = Workflow(tmp_path)
    workflow.config = {name: values[index % len(values)] for name, values in SNAKEMAKE.items()}
    workflow()
    for sample, ids in (("one", ["good", "more"]), ("two", ["good", "more"] * 2)):
        shown = run(workflow.environment["PLEAT"], "inspect", workflow.result(sample), "--table", "all").stdout
        assert [line.split("\t")[0] for line in shown.splitlines()[1:]] == ids
    export = workflow.config["export"]
    assert_reported(tmp_path / "results", "one", ok=2)
    archives = [path.name for path in (tmp_path / "results").glob("*.tar.gz")]
    assert sorted(archives) == ([f"one.{export}.tar.gz", f"two.{export}.tar.gz"] if export else [])


def test_every_variable_of_slurm_has_a_run():
    heads = "".join(path.read_text() for path in SCRIPTS.iterdir())
    tests = (REPOSITORY / "tests/workflows/test_slurm.py").read_text() + (
        REPOSITORY / "tests/workflows/test_every_option.py"
    ).read_text()
    for name in set(re.findall(r"^#   (PLEAT\w*)  ", heads, re.M)):
        assert f'{name}="' in tests or f"{name}=str" in tests or f'"{name}":' in tests, name


def test_a_task_goes_back_into_the_queue_so_often(slurm):  # noqa: F811
    (slurm.folder / "manifest.yaml").write_text("version: 1\n")
    busy = slurm.folder / "busy"
    busy.write_text("#!/bin/bash\nexit 75\n")
    busy.chmod(0o755)
    job = slurm.submit("pleat-array.sbatch", "manifest.yaml", options=["--array=1"], PLEAT=str(busy),
                       PLEAT_REQUEUES="0")
    assert slurm.wait(job) == ["FAILED"]
    assert "back into the queue" not in slurm.logs()
