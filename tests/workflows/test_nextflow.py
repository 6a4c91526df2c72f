"""workflows/nextflow with the real Nextflow: on this host, in Docker and Apptainer, and on SLURM."""

import os
from pathlib import Path

import pytest
from engines import (
    FOLD_MODEL,
    IMAGE,
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

PIPELINE = REPOSITORY / "workflows/nextflow"
SMALL = ["--cpus", "1", "--memory", "1 GB"]


class Pipeline:
    def __init__(self, folder, model=MODEL):
        self.folder = folder
        self.umask = -1  # as it is
        self.model = model
        # pleat on the PATH where no container is used.
        self.environment = os.environ | {
            "PATH": f"{Path(PLEAT).parent}:{os.environ['PATH']}",
            "NXF_HOME": str(folder / ".nextflow-home"),
        }

    def command(self, *arguments):
        manifest = [] if "--manifest" in arguments else ["--manifest", "manifest.yaml"]
        return [
            str(part)
            for part in (
                "nextflow",
                "run",
                PIPELINE,
                "--model",
                self.model,
                "--outdir",
                "out",
                *manifest,
                *SMALL,
                *arguments,
            )
        ]

    def __call__(self, *arguments, status=0, **environment):
        done = run(
            *self.command(*arguments),
            cwd=self.folder,
            env=self.environment | environment,
            umask=self.umask,
            status=status,
        )
        return done.stdout

    def result(self, sample="proteins"):
        return self.folder / "out" / f"{sample}.h5"

    def tasks(self, columns="name,status,exit"):
        """Of the last run: a list of values for each task."""
        done = run("nextflow", "log", "last", "-f", columns, cwd=self.folder, env=self.environment)
        return [line.split("\t") for line in done.stdout.splitlines() if line]


@pytest.fixture
def pipeline(tmp_path):
    write_job(tmp_path, fasta(proteins(30)))
    return Pipeline(tmp_path)


def test_local_with_shards_and_resume(pipeline, expected_small):
    pipeline("--input", "proteins.fasta", "--shards", 3)
    assert data_of(pipeline.result()) == expected_small
    assert "pleat: 0.1.0" in (pipeline.folder / "out/versions.yml").read_text()
    assert (pipeline.folder / "out/problems.tsv").read_text().splitlines() == [
        "sample\tid\tstatus\tsequence\terror_code\tmessage\tmean_plddt\tptm\tiptm"
    ]
    pipeline("--input", "proteins.fasta", "--shards", 3, "-resume")
    assert {status for _, status, _ in pipeline.tasks()} == {"CACHED"}
    assert len(pipeline.tasks()) == 5


def test_the_profile_test(tmp_path):
    """As the README has it, with nothing else given."""
    pipeline = Pipeline(tmp_path)
    run("nextflow", "run", PIPELINE, "-profile", "test", cwd=tmp_path, env=pipeline.environment)
    assert_reported(tmp_path / "results", "proteins", ok=24)


def test_docker(tmp_path, same_bits):
    write_job(tmp_path, real_proteins(200), contacts="true")
    pipeline = Pipeline(tmp_path)
    pipeline("--input", "proteins.fasta", "--shards", 2, "--pleat_image", IMAGE, "-profile", "docker")
    same_bits("Nextflow with Docker, 2 shards", pipeline.result())


def test_a_samplesheet_with_one_bad_sequence_and_structures(tmp_path):
    (tmp_path / "one.fasta").write_text(">good\nACDEFGHIKLMNP\n>bad\nAC-D\n")
    (tmp_path / "two.fasta").write_text(">other\nMKVLAAGIW\n")
    (tmp_path / "samples.csv").write_text("sample,sequences\none,one.fasta\ntwo,two.fasta\n")
    (tmp_path / "manifest.yaml").write_text(
        "version: 1\nmodel: m\ninputs: [i.fasta]\noutput: o.h5\ntasks: {structure: {num_recycles: 0}}\n"
    )
    pipeline = Pipeline(tmp_path, FOLD_MODEL)
    pipeline("--input", "samples.csv", "--export", "pdb")
    endings = (".h5", ".pdb.tar.gz", ".report.html", ".summary.json", "_mqc.tsv")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        ["problems.tsv", "versions.yml", *(sample + ending for sample in ("one", "two") for ending in endings)]
    )
    assert_reported(tmp_path / "out", "one", ok=1, rejected=1)
    assert_reported(tmp_path / "out", "two", ok=1)
    problems = (tmp_path / "out/problems.tsv").read_text().splitlines()
    assert len(problems) == 2 and problems[1].split("\t")[:5] == ["one", "bad", "rejected", "-1", "bad_residue"]
    listing = run("tar", "tzf", tmp_path / "out/one.pdb.tar.gz").stdout
    assert "good.pdb" in listing


def test_names_lose_nothing(tmp_path):
    """Only known endings are cut from a file's name; any number of files; a second run replaces nothing."""
    write_job(tmp_path, "")
    for name in ("bin.1.faa", "bin.2.faa", "c d.txt"):
        (tmp_path / name).write_text(f">{name.split('.')[1]}\nMKTAYIAKQR\n")
    pipeline = Pipeline(tmp_path)
    pipeline("--input", "bin.*.faa", "--shards", 2)
    assert sorted(path.name for path in (tmp_path / "out").glob("*.h5")) == ["bin.1.h5", "bin.2.h5"]
    for number in ("1", "2"):
        shown = run(PLEAT, "inspect", pipeline.result(f"bin.{number}"), "--table", "all").stdout
        assert [line.split("\t")[0] for line in shown.splitlines()[1:]] == [number]
    output = pipeline("--input", "bin.*.faa", status=1)
    assert "is there already" in output and "--overwrite" in output
    for path in (tmp_path / "out").glob("*.h5"):
        path.unlink()
    assert "bin.1.report.html is there already" in pipeline("--input", "bin.*.faa", status=1)
    assert "cannot name a sample" in pipeline("--input", "c d.txt", status=1)


def test_two_files_of_one_sample_end_it_before_it_starts(tmp_path):
    write_job(tmp_path, "")
    for name in ("a.faa", "a.fasta.gz"):
        (tmp_path / name).write_text(">x\nMKTAYIAKQR\n")
    pipeline = Pipeline(tmp_path)
    output = pipeline("--input", "a.f*", status=1)
    assert "would both be the sample a" in output
    assert "Submitted process" not in output and not (tmp_path / "out").exists()


def test_rows_of_one_sample_are_one_task(tmp_path):
    write_job(tmp_path, "")
    folder = tmp_path / "more"
    folder.mkdir()
    for name in ("a", "more/a", "more/b"):
        (tmp_path / f"{name}.faa").write_text(f">{name}\nMKTAYIAKQR\n")
    (tmp_path / "names.txt").write_text("more/a.faa\nmore/b.faa\n")
    (tmp_path / "sheet.csv").write_text("sample,sequences\ns1,a.faa\ns1,@names.txt\n")
    pipeline = Pipeline(tmp_path)
    pipeline("--input", "sheet.csv")
    shown = run(PLEAT, "inspect", pipeline.result("s1"), "--table", "all").stdout
    assert [line.split("\t")[0] for line in shown.splitlines()[1:]] == ["a", "more/a", "more/b"]


@pytest.mark.parametrize("format", ["pdb", "cif", "fasta"])
def test_every_export_and_what_cannot_be_exported(tmp_path, format):
    (tmp_path / "one.fasta").write_text(">good\nMKTAYIAKQR\n>allx\nXXXX\n")
    (tmp_path / "page.fasta").write_text("<html></html>\n")
    (tmp_path / "sheet.csv").write_text("sample,sequences\none,one.fasta\none,page.fasta\n")
    (tmp_path / "manifest.yaml").write_text(
        "version: 1\nmodel: m\ninputs: [i.fasta]\noutput: o.h5\ntasks: {structure: {num_recycles: 0}}\n"
    )
    pipeline = Pipeline(tmp_path, FOLD_MODEL)
    pipeline("--input", "sheet.csv", "--export", format)
    listing = run("tar", "tzf", tmp_path / f"out/one.{format}.tar.gz").stdout
    assert ("sequences.fasta" if format == "fasta" else f"good.{format}") in listing
    rows = [line.split("\t")[:3] for line in (tmp_path / "out/problems.tsv").read_text().splitlines()[1:]]
    exported = [["one", "allx", "not_exported"]] if format != "fasta" else []
    assert sorted(row[2] for row in rows) == sorted(["input", *[row[2] for row in exported]])
    assert all(row[0] == "one" for row in rows)


def test_a_killed_task_is_tried_again_and_goes_on(tmp_path):
    undisturbed = long_job(tmp_path)
    pipeline = Pipeline(tmp_path)
    command = pipeline.command("--input", "proteins.fasta", "--state", "state")
    engine_whose_pleat_is_killed(command, tmp_path, pipeline.environment, tmp_path / "state/proteins.work")
    runs = [task for task in pipeline.tasks("name,status,exit,workdir") if "PLEAT_RUN" in task[0]]
    assert [(task[1], task[2]) for task in runs] == [("FAILED", "137"), ("COMPLETED", "0")]
    log = Path(runs[1][3], ".command.err").read_text()
    assert "resumes an earlier run" in log
    assert data_of(pipeline.result()) == undisturbed


def test_lasting_errors_are_not_tried_again(pipeline):
    (pipeline.folder / "manifest.yaml").write_text("version: 1\nnonsense: true\n")
    output = pipeline("--input", "proteins.fasta", status=1)
    assert "nonsense" in output
    assert [(status, code) for _, status, code in pipeline.tasks()] == [("FAILED", "78")]


def test_stubs(pipeline):
    pipeline("--input", "proteins.fasta", "--shards", 2, "--export", "cif", "-stub")
    assert sorted(path.name for path in (pipeline.folder / "out").glob("proteins*")) == [
        "proteins.cif.tar.gz",
        "proteins.h5",
        "proteins.report.html",
        "proteins.shard-1-of-2.summary.json",
        "proteins.shard-2-of-2.summary.json",
        "proteins_mqc.tsv",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "say which sequences"),
        (("--input", "none.fasta"), "none.fasta"),
        (("--input", "proteins.fasta", "--model", "esm2_t6_8M_UR50D"), "--models FOLDER"),
    ],
)
def test_bad_parameters(pipeline, arguments, message):
    assert message in pipeline(*arguments, status=1)


def test_a_model_by_its_name(pipeline, expected_small):
    models = pipeline.folder / "models"
    models.mkdir()
    (models / "esm2_t6_8M_UR50D").symlink_to(MODEL)
    pipeline.model = "esm2_t6_8M_UR50D"
    pipeline("--input", "proteins.fasta", "--models", models)
    assert data_of(pipeline.result()) == expected_small


def test_apptainer(tmp_path, apptainer_image, same_bits):
    # Apptainer runs as an ordinary user, who writes into the engine's folders.
    tmp_path.chmod(0o777)
    write_job(tmp_path, real_proteins(200), contacts="true")
    pipeline = Pipeline(tmp_path)
    pipeline.umask = 0
    arguments = ("--shards", 2, "--pleat_image", apptainer_image, "-profile", "apptainer")
    pipeline("--input", "proteins.fasta", *arguments)
    same_bits("Nextflow with Apptainer, 2 shards", pipeline.result())


def test_tasks_share_the_gpus_of_one_machine_one_after_the_other(pipeline):
    pipeline.environment["PATH"] = f"{pleat_that_tells(pipeline.folder)}:{os.environ['PATH']}"
    pipeline("--input", "proteins.fasta", "--shards", 3, "-profile", "gpu")
    assert (pipeline.folder / "told").read_text().split() == ["begin", "end"] * 3


def test_slurm_gives_each_task_its_gpu(tmp_path, cluster):
    write_job(tmp_path, fasta(proteins(6)))
    pipeline = Pipeline(tmp_path)
    # What the tasks see; those that do not compute ask for none.
    wrapper = tmp_path / "bin/pleat"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/bash\necho "$1 ${{CUDA_VISIBLE_DEVICES:-none}}" >>{tmp_path}/seen\nexec {PLEAT} "$@"\n')
    wrapper.chmod(0o755)
    pipeline.environment |= {
        "SLURM_CONF": cluster["SLURM_CONF"],
        "PATH": f"{wrapper.parent}:{os.environ['PATH']}",
    }
    config = tmp_path / "small.config"
    config.write_text(
        "process { withLabel: process_low { cpus = 1; memory = 1.GB } }\nexecutor.pollInterval = '1 sec'\n"
    )
    pipeline("--input", "proteins.fasta", "--shards", 2, "-profile", "slurm,gpu", "-c", config)
    seen = {tuple(line.split()) for line in (tmp_path / "seen").read_text().splitlines()}
    assert {gpu for command, gpu in seen if command == "run"} <= {"0", "1"}
    assert {gpu for command, gpu in seen if command in ("merge", "inspect")} == {"none"}


def test_slurm(tmp_path, cluster, same_bits):
    write_job(tmp_path, real_proteins(200), contacts="true")
    pipeline = Pipeline(tmp_path)
    pipeline.environment |= {"SLURM_CONF": cluster["SLURM_CONF"]}
    config = tmp_path / "small.config"
    config.write_text(
        "process { withLabel: process_low { cpus = 1; memory = 1.GB } }\nexecutor.pollInterval = '1 sec'\n"
    )
    pipeline("--input", "proteins.fasta", "--shards", 2, "-profile", "slurm", "-c", config)
    same_bits("Nextflow on SLURM, 2 shards", pipeline.result())
