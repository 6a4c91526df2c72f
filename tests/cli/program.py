"""The program, as a user calls it."""

import os
import subprocess

PLEAT = os.environ["PLEAT"]


def pleat(*arguments, timeout=300, **options):
    """What it printed, as text, and its exit status."""
    return subprocess.run([PLEAT, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, **options)


def export(file, format, output, *arguments):
    return pleat("export", file, "--format", format, "--output", output, *arguments)
