"""Runs that are disturbed until they succeed, and what an undisturbed one gives."""

import os
import re
from dataclasses import dataclass

import job as cli

LONG = os.environ.get("PLEAT_LONG") == "1"


@dataclass
class Count:
    """Of faults: how many were done to a run, and what became of the results that were on the disk."""

    injected: int = 0
    survived: int = 0
    lost: int = 0

    def __str__(self):
        return f"injected {self.injected}, survived {self.survived}, lost {self.lost}"


def contents(file):
    """Without what an option such as --devices changes."""
    found = cli.contents(file)
    return {path: found[path] for path in found if path not in ("/manifest_overrides", "/manifest_sha256")}


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
        self.done = 0  # sequences that the last run found on the disk

    def check_progress(self, stderr, count):
        """What an earlier run had done must still be done, as far as this one came to say so."""
        found = re.search(r"earlier run ended: (\d+) of \d+ sequences", stderr)
        if found is None and "info: loaded" not in stderr:
            return
        done = int(found[1]) if found else 0
        count.lost += max(0, self.done - done)
        self.done = max(self.done, done)

    def check_file(self):
        with self.job.open() as file:
            found = contents(file)
        assert found.keys() == self.expected.keys()
        different = [path for path in found if found[path] != self.expected[path]]
        assert different == [], different
        assert self.job.left() == ["out.h5"]
        self.job.output.unlink()
        self.done = 0
