"""SIGKILL at random moments: whatever was done is kept, and the file is that of an undisturbed run."""

import random
import shutil
import subprocess
import time

import pytest
from faults import LONG, Count, Disturbed
from job import fasta, proteins

SEEDS = (1, 2, 3)
KILLS = 67 if LONG else 7  # of each seed


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_at_random_moments(tmp_path, seed):
    keys = {"tasks": {"embeddings": {"layers": [0, -1]}, "contacts": True}, "run": {"max_tokens_per_batch": 500}}
    begin = time.monotonic()
    run = Disturbed(tmp_path / "job", keys, fasta(proteins(300, 30, 250, seed) + ["ACD-F", "MKV"]))
    usual = time.monotonic() - begin
    moments = random.Random(seed)
    count = Count()
    while count.injected < KILLS:
        devices = moments.choice(["cpu", "cpu*2", "cpu*4"])
        process = run.job.start("--devices", devices)
        try:
            _, stderr = process.communicate(timeout=moments.uniform(0, usual))
            assert process.returncode == 0, stderr
            run.check_progress(stderr, count)
            run.check_file()
        except subprocess.TimeoutExpired:
            process.kill()
            run.check_progress(process.communicate()[1], count)
            run.left_by(count)
            if run.job.output.exists():  # the kill came when the file stood, and perhaps before the rest was tidied up
                run.went_on(count)
                shutil.rmtree(run.job.folder / "out.h5.work", ignore_errors=True)
                run.check_file()
    done = run.job.run()
    assert done.returncode == 0, done.stderr
    run.check_progress(done.stderr, count)
    run.check_file()
    print(f"\nSIGKILL, seed {seed}: {count}")
    assert count.survived == count.injected >= KILLS and count.lost == 0
