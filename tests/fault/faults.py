"""Runs that are disturbed until they succeed, and what an undisturbed one gives."""

import json
import os
import re
from dataclasses import dataclass

import job as cli

LONG = os.environ.get("PLEAT_LONG") == "1"


@dataclass
class Count:
    """Of faults: how many were done to a run, after how many a later run went on or the file stood, and how many results
    that were on the disk were not found there again."""

    injected: int = 0
    survived: int = 0
    lost: int = 0

    def __str__(self):
        return f"injected {self.injected}, survived {self.survived}, lost {self.lost}"


def contents(file):
    """Without what an option such as --devices changes."""
    found = cli.contents(file)
    return {path: found[path] for path in found if path not in ("/manifest_overrides", "/manifest_sha256")}


def journaled(journal):
    """The sequences that are done by the whole lines of a journal."""
    entries = [json.loads(line[9:]) for line in journal.split(b"\n")[:-1]]
    return {entry["row"] for entry in entries if "row" in entry}


class Disturbed:
    """One job, run again and again."""

    def __init__(self, folder, keys, inputs):
        folder.mkdir()
        self.job = cli.Job(folder)
        self.job.input("in.fasta", inputs)
        self.job.keys |= {"policy": {"fail_on": "none"}} | keys
        with self.job.compute() as file:
            self.expected = contents(file)
        self.job.output.unlink()
        self.work = folder / "out.h5.work"
        self.done = 0  # sequences that lie on the disk
        self.open_faults = 0  # since somebody last went on

    def left_by(self, count):
        """After a fault: what is done now."""
        count.injected += 1
        self.open_faults += 1
        journal = self.work / "pleat-journal.jsonl"
        self.done = len(journaled(journal.read_bytes())) if journal.exists() else 0

    def check_progress(self, stderr, count):
        """What was done must still be done, as far as this run came to say so."""
        found = re.search(r"earlier run: (\d+) of \d+ sequences", stderr)
        if found is None and "info: loaded" not in stderr:
            return
        count.lost += max(0, self.done - (int(found[1]) if found else 0))
        self.went_on(count)

    def went_on(self, count):
        count.survived += self.open_faults
        self.open_faults = 0

    def check_file(self):
        with self.job.open() as file:
            found = contents(file)
        assert found.keys() == self.expected.keys()
        different = [path for path in found if found[path] != self.expected[path]]
        assert different == [], different
        assert self.job.left() == ["out.h5"]
        self.job.output.unlink()
        self.done = 0
