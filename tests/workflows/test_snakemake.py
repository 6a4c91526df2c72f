"""workflows/snakemake with the real Snakemake: on this host, in Apptainer, and on SLURM."""

import os
import shutil
from pathlib import Path

import pytest
import yaml
from engines import (
    FOLD_MODEL,
    MODEL,
    PLEAT,
    REPOSITORY,
    assert_reported,
    data_of,
    engine_whose_pleat_is_killed,
    fasta,
    long_job,
    pleat_that_tells,
    proteins,
    real_proteins,
    run,
    write_job,
)

WORKFLOW = REPOSITORY / "workflows/snakemake"


class Workflow:
    """The workflow in a folder of its own, as a user copies it."""

    def __init__(self, folder):
        self.folder = folder
        self.umask = -1  # as it is
        shutil.copytree(WORKFLOW, folder, dirs_exist_ok=True)
        self.environment = os.environ | {"PATH": f"{Path(PLEAT).parent}:{os.environ['PATH']}", "HOME": str(folder)}
        self.config = {
            "samples": {"proteins": "proteins.fasta"},
            "manifest": "manifest.yaml",
            "model": str(MODEL),
            "threads": 1,
            "mem_mb": 1000,
        }

    def command(self, *arguments):
        (self.folder / "config/config.yaml").write_text(yaml.safe_dump(self.config))
        return [str(part) for part in ("snakemake", "--cores", 2, "--show-failed-logs", *arguments)]

    def __call__(self, *arguments, status=0, **environment):
        done = run(
            *self.command(*arguments),
            cwd=self.folder,
            env=self.environment | environment,
            umask=self.umask,
            status=status,
        )
        return done.stdout + done.stderr

    def result(self, sample="proteins"):
        return self.folder / "results" / f"{sample}.h5"


@pytest.fixture
def workflow(tmp_path):
    write_job(tmp_path, fasta(proteins(30)))
    return Workflow(tmp_path)


def test_local_with_shards_and_again(workflow, expected_small):
    workflow.config["shards"] = 3
    workflow()
    assert data_of(workflow.result()) == expected_small
    assert not list((workflow.folder / "results/shards").glob("*.h5"))
    assert "Nothing to be done" in workflow()


def test_its_own_example(tmp_path):
    copy = tmp_path / "workflows/snakemake"
    shutil.copytree(WORKFLOW, copy)
    shutil.copytree(REPOSITORY / "configs", tmp_path / "configs")
    run("snakemake", cwd=copy, env=os.environ | {"PATH": f"{Path(PLEAT).parent}:{os.environ['PATH']}"})
    assert (copy / "results/demo.h5").is_file()


def test_two_samples_one_bad_sequence_and_structures(tmp_path):
    (tmp_path / "one.fasta").write_text(">good\nACDEFGHIKLMNP\n>bad\nAC-D\n")
    (tmp_path / "two.fasta").write_text(">other\nMKVLAAGIW\n")
    (tmp_path / "more.fasta").write_text(">more\nMKVLAAGIWWW\n")
    (tmp_path / "manifest.yaml").write_text(
        "version: 1\nmodel: m\ninputs: [i.fasta]\noutput: o.h5\ntasks: {structure: {num_recycles: 0}}\n"
    )
    workflow = Workflow(tmp_path)
    workflow.config |= {
        "samples": {"one": "one.fasta", "two": ["two.fasta", "more.fasta"]},
        "model": str(FOLD_MODEL),
        "export": "cif",
    }
    workflow()
    problems = (tmp_path / "results/problems.tsv").read_text().splitlines()
    assert len(problems) == 2 and problems[1].split("\t")[:5] == ["one", "bad", "rejected", "-1", "bad_residue"]
    listing = run("tar", "tzf", tmp_path / "results/two.cif.tar.gz").stdout
    assert "other.cif" in listing and "more.cif" in listing
    assert_reported(tmp_path / "results", "one", ok=1, rejected=1)
    assert_reported(tmp_path / "results", "two", ok=2)


def test_a_killed_job_is_tried_again_and_goes_on(tmp_path):
    undisturbed = long_job(tmp_path)
    workflow = Workflow(tmp_path)
    state = tmp_path / ".pleat-state/proteins.1-of-1"
    engine_whose_pleat_is_killed(workflow.command(), tmp_path, workflow.environment, state)
    log = (tmp_path / "logs/pleat_run/proteins.1-of-1.log").read_text()
    assert "resumes an earlier run" in log
    assert list(state.iterdir()) == []
    assert data_of(workflow.result()) == undisturbed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shards": 0}, "shards"),
        ({"samples": {}}, "samples"),
        ({"colour": "blue"}, "colour"),
        ({"samples": {"a": "none.fasta"}}, "none.fasta"),
    ],
)
def test_bad_configuration(workflow, change, message):
    workflow.config |= change
    assert message in workflow(status=1)


def test_lasting_errors_are_in_the_log(workflow):
    (workflow.folder / "manifest.yaml").write_text("version: 1\nnonsense: true\n")
    workflow.config["retries"] = 0
    workflow(status=1)
    assert "nonsense" in (workflow.folder / "logs/pleat_run/proteins.1-of-1.log").read_text()
    assert not workflow.result().exists()


def test_lint_and_format(tmp_path):
    workflow = Workflow(tmp_path)
    write_job(tmp_path, fasta(proteins(2)))
    assert "Lints" not in workflow("--lint")
    run("snakefmt", "--check", WORKFLOW / "workflow")


def test_names_lose_nothing(tmp_path):
    write_job(tmp_path, "")
    (tmp_path / "many").mkdir()
    names = [f"a-file-with-a-rather-long-name-{i:04}.faa" for i in range(2500)]
    for name in names:
        (tmp_path / "many" / name).write_text(f">{name}\nMKTAYIAKQR\n")
    (tmp_path / "names.txt").write_text("".join(f"many/{name}\n" for name in names))
    workflow = Workflow(tmp_path)
    workflow.config["samples"] = {"bin.1": "@names.txt", "bin.2": [f"many/{name}" for name in names[:2]]}
    workflow.config["shards"] = 2
    workflow()
    for sample, expected in (("bin.1", names), ("bin.2", names[:2])):
        shown = run(PLEAT, "inspect", workflow.result(sample), "--table", "all").stdout
        assert [line.split("\t")[0] for line in shown.splitlines()[1:]] == expected
    workflow.config["samples"] = {"bin": "@names.txt", "Bin": "@names.txt"}
    assert "would have one name" in workflow(status=1)


@pytest.mark.parametrize("format", ["pdb", "cif", "fasta"])
def test_every_export_and_what_cannot_be_exported(tmp_path, format):
    (tmp_path / "one.fasta").write_text(">good\nMKTAYIAKQR\n>allx\nXXXX\n")
    (tmp_path / "page.fasta").write_text("<html></html>\n")
    (tmp_path / "manifest.yaml").write_text(
        "version: 1\nmodel: m\ninputs: [i.fasta]\noutput: o.h5\ntasks: {structure: {num_recycles: 0}}\n"
    )
    workflow = Workflow(tmp_path)
    workflow.config |= {"samples": {"one": ["one.fasta", "page.fasta"]}, "model": str(FOLD_MODEL), "export": format}
    workflow()
    listing = run("tar", "tzf", tmp_path / f"results/one.{format}.tar.gz").stdout
    assert ("sequences.fasta" if format == "fasta" else f"good.{format}") in listing
    rows = [line.split("\t")[:3] for line in (tmp_path / "results/problems.tsv").read_text().splitlines()[1:]]
    exported = ["not_exported"] if format != "fasta" else []
    assert [row[2] for row in rows] == ["input", *exported] and {row[0] for row in rows} == {"one"}


def test_jobs_share_the_gpu_of_one_machine_one_after_the_other(workflow):
    """As the profile says it, but for the container."""
    profile = yaml.safe_load((WORKFLOW / "profiles/gpu/config.yaml").read_text())
    workflow.environment["PATH"] = f"{pleat_that_tells(workflow.folder)}:{os.environ['PATH']}"
    workflow.config |= {"shards": 3, "gpus": 1}
    workflow("--resources", *profile["resources"])
    assert (workflow.folder / "told").read_text().split() == ["begin", "end"] * 3


def test_slurm_gives_each_job_its_gpu(tmp_path, cluster):
    write_job(tmp_path, fasta(proteins(6)))
    workflow = Workflow(tmp_path)
    wrapper = tmp_path / "bin/pleat"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/bash\necho "$1 ${{CUDA_VISIBLE_DEVICES:-none}}" >>{tmp_path}/seen\nexec {PLEAT} "$@"\n')
    wrapper.chmod(0o755)
    workflow.config |= {"shards": 2, "gpus": 1}
    workflow.environment |= {
        "SLURM_CONF": cluster["SLURM_CONF"],
        "PATH": f"{wrapper.parent}:{os.environ['PATH']}",
    }
    status = ("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", 5)
    workflow("--workflow-profile", "profiles/slurm", "--latency-wait", 5, *status)
    seen = {tuple(line.split()) for line in (tmp_path / "seen").read_text().splitlines()}
    assert {gpu for command, gpu in seen if command == "run"} <= {"0", "1"}
    assert {gpu for command, gpu in seen if command in ("merge", "inspect")} == {"none"}


def test_slurm(tmp_path, cluster, same_bits):
    write_job(tmp_path, real_proteins(200), contacts="true")
    workflow = Workflow(tmp_path)
    workflow.config["shards"] = 2
    workflow.environment |= {"SLURM_CONF": cluster["SLURM_CONF"]}
    # This host keeps no accounts of jobs, which the executor asks by itself where there are some.
    status = ("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", 5)
    workflow("--workflow-profile", "profiles/slurm", "--latency-wait", 5, *status)
    same_bits("Snakemake on SLURM, 2 shards", workflow.result())


def test_apptainer(tmp_path, apptainer_image, same_bits):
    write_job(tmp_path, real_proteins(200), contacts="true")
    workflow = Workflow(tmp_path)
    # Apptainer runs as an ordinary user, who writes into the engine's folders.
    tmp_path.chmod(0o777)
    workflow.umask = 0
    workflow.config |= {"shards": 2, "image": str(apptainer_image)}
    workflow("--software-deployment-method", "apptainer", "--apptainer-args", f"--bind {MODEL}")
    same_bits("Snakemake with Apptainer, 2 shards", workflow.result())
