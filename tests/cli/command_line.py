"""The commands and options of the program as --help shows them: what the man page and the completions must hold."""

import os
import re
import subprocess

PLEAT = os.environ["PLEAT"]


def help_of(path):
    done = subprocess.run([PLEAT, *path, "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def subcommands_of(path):
    section = help_of(path).partition("\nSubcommands:\n")[2]
    return re.findall(r"^  (\S+)", section, re.M)


def options_of(path):
    """The names of all options, such as -o and --output."""
    lines = re.findall(r"^  (-\S+)", help_of(path), re.M)
    return [name for line in lines for name in line.split(",")]


def commands(path=()):
    """Every command as a tuple of words, from the program itself, (), on."""
    found = [path]
    for name in subcommands_of(path):
        found += commands((*path, name))
    return found


COMMANDS = commands()
OPTIONS = {path: options_of(path) for path in COMMANDS}
