"""A long run on two devices, killed ten times: the file verifies, and is that of an undisturbed run."""

import gzip
import random
import resource
import time
from pathlib import Path

from faults import LONG, Count, Disturbed, journaled
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


def until(run, process, sequences):
    """Waits until so many sequences are done."""
    journal = run.work / "pleat-journal.jsonl"
    while not journal.exists() or len(journaled(journal.read_bytes())) < sequences:
        assert process.poll() is None, "the run ended before its kill: " + process.communicate()[1]
        time.sleep(0.02)


def test_soak(tmp_path):
    count = Count()
    begin = time.monotonic()
    run = Disturbed(tmp_path / "job", {"run": {"devices": "cpu*2"}}, inputs())
    usual = time.monotonic() - begin
    sequences = run.expected["sequences/offsets"][0][0] - 1
    moments = random.Random(1)
    while count.injected < KILLS:
        process = run.job.start("--progress", "none")
        until(run, process, sequences * (count.injected + moments.random()) / (KILLS + 1))
        process.kill()
        run.check_progress(process.communicate()[1], count)
        run.left_by(count)
        assert not run.job.output.exists()
    done = run.job.run("--progress", "none")
    assert done.returncode == 0, done.stderr
    run.check_progress(done.stderr, count)
    verified = run.job.pleat("verify", run.job.output)
    assert verified.returncode == 0, verified.stdout
    run.check_file()
    # Of all processes so far, the undisturbed run among them.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    weights = (MODEL / "model.safetensors").stat().st_size
    print(f"\nsoak: {count}; peak memory {peak / 1e6:.0f} MB, undisturbed {usual:.0f} s")
    assert count.survived == count.injected == KILLS and count.lost == 0 and peak - weights < LARGEST
