"""workflows/slurm on a real SLURM of one host."""

import subprocess
import time

import pytest
from engines import PLEAT, REPOSITORY, assert_reported, data_of, fasta, long_job, proteins, real_proteins, run, write_job

SCRIPTS = REPOSITORY / "workflows/slurm"
# What one host has; the scripts ask for what a job of a cluster needs.
SMALL = ["--cpus-per-task=1", "--mem=400M"]


class Slurm:
    def __init__(self, environment, folder):
        self.environment = environment
        self.folder = folder

    def __call__(self, *command, **options):
        return run(*command, env=self.environment, cwd=self.folder, **options).stdout.strip()

    def submit(self, script, *arguments, options=(), **environment):
        command = ["sbatch", "--parsable", *SMALL, *options, SCRIPTS / script, *arguments]
        return run(*command, env=self.environment | environment, cwd=self.folder).stdout.strip()

    def submit_all(self, shards, *options):
        """By the script submit; the numbers of the array and of the merge."""
        merge = self(SCRIPTS / "submit", "manifest.yaml", "results.h5", shards, *SMALL, *options)
        return str(int(merge) - 1), merge

    def states(self, job):
        shown = subprocess.run(
            ["scontrol", "--oneliner", "show", "job", job], env=self.environment, capture_output=True, text=True
        ).stdout
        return [dict(field.split("=", 1) for field in line.split() if "=" in field) for line in shown.splitlines()]

    def wait(self, job, done=("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL"), seconds=180, count=1):
        """The states of all tasks of a job, `count` at least, once each is one of `done`."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            tasks = self.states(job)
            if len(tasks) >= count and all(task["JobState"] in done for task in tasks):
                return [task["JobState"] for task in tasks]
            time.sleep(0.2)
        pytest.fail(f"job {job} after {seconds} s: {tasks}\n{self.logs()}")

    def logs(self):
        return "\n".join(f"{path.name}:\n{path.read_text()[-2000:]}" for path in sorted(self.folder.glob("*.log")))

    def start_now(self, job):
        """Out of the two minutes that a task waits after it was put back into the queue; the host needs a moment to
        forget that it ended."""
        time.sleep(3)
        for task in self.states(job):
            subprocess.run(["scontrol", "update", f"JobId={task['JobId']}", "StartTime=now"], env=self.environment)


@pytest.fixture
def slurm(cluster, tmp_path):
    return Slurm(cluster, tmp_path)


def test_array_and_merge_equal_plain_run(slurm, same_bits):
    write_job(slurm.folder, real_proteins(200), contacts="true")
    _, merge = slurm.submit_all(4)
    assert slurm.wait(merge) == ["COMPLETED"], slurm.logs()
    same_bits("SLURM, an array of 4 and a merge", slurm.folder / "results.h5")
    assert_reported(slurm.folder, "results", ok=200)


def test_strides(slurm, expected_small):
    write_job(slurm.folder, fasta(proteins(30)))
    job = slurm.submit("pleat-array.sbatch", "manifest.yaml", options=["--array=1-7:2"])
    assert set(slurm.wait(job)) == {"COMPLETED"}, slurm.logs()
    merge = slurm.submit("pleat-merge.sbatch", "results.h5", 4)
    assert slurm.wait(merge) == ["COMPLETED"], slurm.logs()
    assert data_of(slurm.folder / "results.h5") == expected_small
    # Again: the same file.
    before = (slurm.folder / "results.h5").read_bytes()
    assert slurm.wait(slurm.submit("pleat-merge.sbatch", "results.h5", 4)) == ["COMPLETED"]
    assert (slurm.folder / "results.h5").read_bytes() == before


def test_gaps_need_a_count(slurm, expected_small):
    write_job(slurm.folder, fasta(proteins(30)))
    job = slurm.submit("pleat-array.sbatch", "manifest.yaml", options=["--array=1,3"])
    assert set(slurm.wait(job)) == {"FAILED"}
    assert "the IDs of this array have gaps" in slurm.logs()
    assert not list(slurm.folder.glob("*.h5"))
    job = slurm.submit("pleat-array.sbatch", "manifest.yaml", options=["--array=1,3"], PLEAT_SHARDS="3")
    assert set(slurm.wait(job)) == {"COMPLETED"}, slurm.logs()
    # One is missing: nothing is merged, and the log says which.
    merge = slurm.submit("pleat-merge.sbatch", "results.h5", 3)
    assert slurm.wait(merge) == ["FAILED"]
    assert "2" in slurm.logs() and not (slurm.folder / "results.h5").exists()
    job = slurm.submit("pleat-array.sbatch", "manifest.yaml", options=["--array=2"], PLEAT_SHARDS="3")
    slurm.wait(job)
    assert slurm.wait(slurm.submit("pleat-merge.sbatch", "results.h5", 3)) == ["COMPLETED"], slurm.logs()
    assert data_of(slurm.folder / "results.h5") == expected_small


def test_a_task_near_its_end_goes_back_into_the_queue_and_on(slurm):
    undisturbed = long_job(slurm.folder)
    job, merge = slurm.submit_all(1)
    work = slurm.folder / "results.shard-1-of-1.h5.work"
    end = time.monotonic() + 60
    while not list(work.glob("pleat-segment-*")) and time.monotonic() < end:
        time.sleep(0.05)
    slurm("scancel", "--batch", "--signal=USR2", job)  # as --signal=B:USR2@120 does
    slurm.wait(job, done=("PENDING",), seconds=30)
    assert "back into the queue" in slurm.logs(), slurm.logs()
    assert work.is_dir()
    time.sleep(3)
    assert [state["JobState"] for state in slurm.states(merge)] == ["PENDING"]
    slurm.start_now(job)
    assert slurm.wait(job) == ["COMPLETED"], slurm.logs()
    assert "resumes an earlier run" in slurm.logs()
    assert not work.exists()
    assert slurm.wait(merge) == ["COMPLETED"]
    assert data_of(slurm.folder / "results.h5") == undisturbed


def test_the_time_limit_sends_usr2(slurm):
    """The directive of the script itself, at its shortest: SLURM counts in minutes."""
    write_job(slurm.folder, real_proteins(200))
    # Slower than its time: it waits for a named pipe that nobody writes.
    slow = slurm.folder / "slow"
    slow.write_text('#!/bin/bash\ntrap "exit 140" USR2\nfor i in $(seq 900); do sleep 0.2; done\n')
    slow.chmod(0o755)
    job = slurm.submit(
        "pleat-array.sbatch", "manifest.yaml", PLEAT=str(slow), options=["--array=1", "--time=1", "--signal=B:USR2@50"]
    )
    slurm.wait(job, done=("PENDING",), seconds=5)
    slurm.wait(job, done=("RUNNING",), seconds=30)
    slurm.wait(job, done=("PENDING",), seconds=70)
    assert "pleat ended with 140; back into the queue" in slurm.logs()
    slurm("scancel", job)


def test_one_bad_sequence(slurm):
    write_job(slurm.folder, fasta(proteins(5)) + ">bad\nAC-D\n")
    array, merge = slurm.submit_all(2)
    assert slurm.wait(merge) == ["COMPLETED"], slurm.logs()
    assert sorted(slurm.wait(array, count=2)) == ["COMPLETED", "FAILED"]  # 65 of the shard that has it
    problems = run(PLEAT, "inspect", slurm.folder / "results.h5", "--table", "problems").stdout.splitlines()
    assert len(problems) == 2 and problems[1].startswith("bad\trejected")


def test_submit_without_a_part(slurm):
    """A task that fails leaves no part; the merge says which is missing, and writes nothing."""
    write_job(slurm.folder, fasta(proteins(5)))
    fails = slurm.folder / "fails"
    fails.write_text(f'#!/bin/bash\n[[ "$*" != *slurm-array* || "$SLURM_ARRAY_TASK_ID" = 1 ]] || exit 70\n{PLEAT} "$@"\n')
    fails.chmod(0o755)
    slurm.environment = slurm.environment | {"PLEAT": str(fails)}
    _, merge = slurm.submit_all(2)
    assert slurm.wait(merge) == ["FAILED"]
    assert "1 of 2 shards missing: 2" in slurm.logs(), slurm.logs()
    assert not (slurm.folder / "results.h5").exists()


def test_options_of_submit(slurm):
    """Those of sbatch are the array's, where to run is said of the merge too; the rest is pleat run's."""
    write_job(slurm.folder, fasta(proteins(5)))
    options = ["--partition=all", "-A", "lab", "--comment=array", "--", "--cache", slurm.folder / "cache"]
    array, merge = slurm.submit_all(2, *options)
    assert slurm.wait(merge) == ["COMPLETED"], slurm.logs()
    (merged,) = slurm.states(merge)
    tasks = slurm.states(array)
    assert {task["Account"] for task in [merged, *tasks]} == {"lab"}
    assert {task["Comment"] for task in tasks} == {"array"} and "Comment" not in merged
    assert list((slurm.folder / "cache").rglob("*"))


@pytest.mark.parametrize("output", ["results", "./other", "v1.2/results"])
def test_outputs_of_any_name(slurm, output):
    write_job(slurm.folder, fasta(proteins(5)))
    (slurm.folder / "v1.2").mkdir()
    merge = slurm(SCRIPTS / "submit", "manifest.yaml", output, 2, *SMALL)
    assert slurm.wait(merge) == ["COMPLETED"], slurm.logs()
    assert len(data_of(slurm.folder / output)["records/id"]) > 0
    # What is there is not replaced, and nothing is submitted.
    before = (slurm.folder / output).read_bytes()
    done = run(SCRIPTS / "submit", "manifest.yaml", output, 2, env=slurm.environment, cwd=slurm.folder, status=73)
    assert done.stdout == "" and "is there already" in done.stderr
    assert (slurm.folder / output).read_bytes() == before


def test_pages_of_the_merge(slurm):
    """One that is there is kept, and one that cannot be made takes nothing from the merge."""
    write_job(slurm.folder, fasta(proteins(5)))
    page = slurm.folder / "results.report.html"
    page.write_text("another's")
    assert "results.report.html' is there already" in run(
        SCRIPTS / "submit", "manifest.yaml", "results.h5", 1, env=slurm.environment, cwd=slurm.folder, status=73
    ).stderr
    assert slurm.wait(slurm.submit("pleat-array.sbatch", "manifest.yaml", options=["--array=1"])) == ["COMPLETED"]
    merge = ("pleat-merge.sbatch", "results.h5", 1)
    assert slurm.wait(slurm.submit(*merge)) == ["COMPLETED"]
    assert page.read_text() == "another's" and "pleat report ended with 73" in slurm.logs()
    page.unlink()
    assert slurm.wait(slurm.submit(*merge, PLEAT_REPORT="no")) == ["COMPLETED"]
    assert not page.exists()
    assert slurm.wait(slurm.submit(*merge, PLEAT_REPORT="--structures 0")) == ["COMPLETED"]
    assert_reported(slurm.folder, "results", ok=5)
    page.write_text("older")
    assert slurm.wait(slurm.submit(*merge, "--overwrite")) == ["COMPLETED"]
    assert_reported(slurm.folder, "results", ok=5)


def test_without_arguments(slurm):
    job = slurm.submit("pleat-array.sbatch", options=["--array=1"])
    assert slurm.wait(job) == ["FAILED"]
    assert "say which manifest" in slurm.logs()
