"""A disk that is full at any byte: exit 75, nothing lost, and with room again the same command finishes."""

import itertools
import json
import resource

import pytest
from faults import LONG, Count, Disturbed
from job import fasta, proteins

OFFSETS = 50 if LONG else 8


@pytest.fixture
def run(tmp_path):
    keys = {"tasks": {"embeddings": {"dtype": "float32"}}, "run": {"max_tokens_per_batch": 200}}
    return Disturbed(tmp_path / "job", keys, fasta(proteins(40)))


def test_full_at_rising_offsets(run):
    """Each time a file may have a little more: the run gets a little further."""
    count = Count()
    for i in itertools.count():
        if count.injected == OFFSETS:
            break
        limit = 500 + i % OFFSETS * 450_000 // OFFSETS
        done = run.job.run(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        run.check_progress(done.stderr, count)
        if done.returncode == 0:
            run.check_file()
            continue
        assert done.returncode == 75 and "ulimit -f" in done.stderr, done.stderr
        assert not run.job.output.exists()
        run.left_by(count)
    done = run.job.run()
    assert done.returncode == 0, done.stderr
    run.check_progress(done.stderr, count)
    run.check_file()
    print(f"\nfull disk: {count}")
    assert count.survived == count.injected == OFFSETS and count.lost == 0


def whole_records(left, segment, cut):
    """How many results are whole where this segment ends at `cut`. A journal names places in the order of the segment."""
    entries = [json.loads(line[9:]) for line in left["pleat-journal.jsonl"].splitlines()]
    begins = [entry["position"] for entry in entries if "row" in entry]
    assert segment == "pleat-segment-0000.bin" and begins == sorted(begins)
    ends = [*begins[1:], len(left[segment])]
    return sum(end <= cut for end in ends)


def test_power_cuts(run):
    """What was not flushed may be missing from the journal's and the last segment's end."""
    count = Count()
    work = run.job.folder / "out.h5.work"
    limit = 300_000
    done = run.job.run(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert done.returncode == 75, done.stderr
    left = {path.name: path.read_bytes() for path in work.iterdir()}
    last_line = len(left["pleat-journal.jsonl"].splitlines(keepends=True)[-1])
    for name, content in left.items():
        size = len(content)
        # Of the last line at every byte, in the long form.
        cuts = {size - byte for byte in range(0, last_line + 1, 1 if LONG else last_line // OFFSETS)}
        cuts |= {size * i // OFFSETS for i in range(OFFSETS)}
        for cut in sorted(cuts):
            for other, whole in left.items():
                work.mkdir(exist_ok=True)
                (work / other).write_bytes(whole[:cut] if other == name else whole)
            run.left_by(count)
            if name != "pleat-journal.jsonl":
                run.done = whole_records(left, name, cut)
            done = run.job.run()
            assert done.returncode == 0, (name, cut, done.stderr)
            run.check_progress(done.stderr, count)
            run.check_file()
    print(f"\npower cuts: {count}")
    assert count.survived == count.injected and count.lost == 0
