"""A long run on two devices, killed ten times: the file verifies, and is that of an undisturbed run."""

import gzip
import json
import random
import re
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


def peak_of(process):
    """Bytes of memory so far, of the program alone: what wait() tells of a child counts its parent's before exec too."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s*(\d+) kB", status)[1])


def test_soak(tmp_path):
    count = Count()
    begin = time.monotonic()
    run = Disturbed(tmp_path / "job", {"run": {"devices": "cpu*2"}}, inputs())
    usual = time.monotonic() - begin
    sequences = run.expected["sequences/offsets"][0][0] - 1
    moments = random.Random(1)
    peaks = []
    while count.injected < KILLS:
        process = run.job.start("--progress", "none")
        until(run, process, sequences * (count.injected + moments.random()) / (KILLS + 1))
        peaks.append(peak_of(process))
        process.kill()
        run.check_progress(process.communicate()[1], count)
        run.left_by(count)
        assert not run.job.output.exists()
    done = run.job.run("--progress", "none", "--summary-json", tmp_path / "summary.json")
    assert done.returncode == 0, done.stderr
    peaks.append(json.loads((tmp_path / "summary.json").read_text())["peak_rss_bytes"])
    run.check_progress(done.stderr, count)
    verified = run.job.pleat("verify", run.job.output)
    assert verified.returncode == 0, verified.stdout
    run.check_file()
    weights = (MODEL / "model.safetensors").stat().st_size
    print(f"\nsoak: {count}; peak memory {max(peaks) / 1e6:.0f} MB, undisturbed {usual:.0f} s")
    assert count.survived == count.injected == KILLS and count.lost == 0
    assert max(peaks) - weights < LARGEST
