"""A long run on two devices, killed ten times: the file verifies, and is that of an undisturbed run."""

import gzip
import json
import random
import subprocess
import time
from pathlib import Path

from faults import LONG, Count, Disturbed
from job import MODEL, fasta, proteins

# Of the Debian package mmseqs2-examples: 20,000 proteins from UniProt.
REAL = Path("/usr/share/doc/mmseqs2/example-data/DB.fasta.gz")
KILLS = 10
LARGEST = 1_000_000_000  # bytes of memory, without the weights


def inputs():
    if not LONG:
        return fasta(proteins(1500, 30, 400))
    assert REAL.exists(), "the soak needs real proteins: apt-get install mmseqs2-examples"
    return gzip.decompress(REAL.read_bytes()).decode()


def test_soak(tmp_path):
    begin = time.monotonic()
    run = Disturbed(tmp_path / "job", {"run": {"devices": "cpu*2"}}, inputs())
    usual = time.monotonic() - begin
    moments = random.Random(1)
    count = Count()
    options = ("--progress", "none", "--summary-json", tmp_path / "summary.json")
    for _ in range(KILLS):
        if run.job.output.exists():
            break
        process = run.job.start(*options)
        try:
            _, stderr = process.communicate(timeout=moments.uniform(0.3, max(0.8, usual / KILLS)))
        except subprocess.TimeoutExpired:
            process.kill()
            _, stderr = process.communicate()
            count.injected += 1
            count.survived += 1
        run.check_progress(stderr, count)
    if not run.job.output.exists():
        done = run.job.run(*options)
        assert done.returncode == 0, done.stderr
        run.check_progress(done.stderr, count)
    verified = run.job.pleat("verify", run.job.output)
    assert verified.returncode == 0, verified.stdout
    run.check_file()
    peak = json.loads((tmp_path / "summary.json").read_text())["peak_rss_bytes"]
    weights = (MODEL / "model.safetensors").stat().st_size
    print(f"\nsoak: {count}; peak memory {peak / 1e6:.0f} MB, undisturbed {usual:.0f} s")
    assert count.lost == 0 and peak - weights < LARGEST
