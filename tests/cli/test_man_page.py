"""`pleat schema man`: a page that roff reads without a warning and that leaves nothing out."""

import os
import re
import subprocess

import pytest
from command_line import COMMANDS, OPTIONS
from job import REPOSITORY

PLEAT = os.environ["PLEAT"]


@pytest.fixture(scope="module")
def page():
    done = subprocess.run([PLEAT, "schema", "man"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def text(page):
    """As a terminal shows it, without the overstrikes and the breaks of lines."""
    done = subprocess.run(["groff", "-man", "-Tascii", "-P-cbou", "-rLL=400n"], input=page, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_roff_has_nothing_to_say(page):
    done = subprocess.run(["groff", "-man", "-ww", "-z"], input=page, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_sections(text):
    sections = re.findall(r"^([A-Z][A-Z ]+)$", text, re.M)
    assert sections == ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "EXIT STATUS", "ENVIRONMENT", "FILES",
                        "EXAMPLES", "SIGNALS", "SEE ALSO"]
    assert "pleat 0." in text


def section_of(text, path):
    """What stands under a command's heading."""
    heading = re.escape(" ".join(("pleat", *path)))
    found = re.search(rf"^   {heading} .*?\n(.*?)(?=^   pleat |^[A-Z])", text, re.M | re.S)
    assert found, path
    return found[1]


@pytest.mark.parametrize("path", [path for path in COMMANDS if path])
def test_every_command_and_option(text, path):
    heads = [line for line in section_of(text, path).splitlines() if line.strip().startswith("-")]
    names = [name for head in heads for name in re.findall(r"(?:^|, )(-[\w-]+)", head.strip())]
    assert names == OPTIONS[path]


def test_options_of_the_program(text):
    for name in OPTIONS[()]:
        assert re.search(rf"^OPTIONS\n(.*\n)*?.*{name}\b", text, re.M)


def test_words_that_an_option_takes(text):
    assert "--fail-on any|all|none" in section_of(text, ("run",))


def test_every_variable_that_the_program_reads(text):
    """Names that stand in the sources as arguments of a look-up in the environment."""
    section = text.partition("\nENVIRONMENT\n")[2].partition("\nFILES\n")[0]
    names = set()
    for source in (REPOSITORY / "src").rglob("*.cc"):
        code = source.read_text()
        names |= set(re.findall(r'(?:getenv|environment)\("([A-Z][A-Z_]+)"\)', code))
        for listed in re.findall(r"for \(const char\* const name : \{([^}]*)\}\)", code):
            names |= set(re.findall(r'"([A-Z][A-Z_]+)"', listed))
    assert {"PLEAT_MODELS", "HF_HOME", "HF_TOKEN", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"} <= names
    for name in names:
        assert name in section, name


def test_exit_statuses_are_those_of_the_readme(text):
    section = text.partition("\nEXIT STATUS\n")[2].partition("\nENVIRONMENT\n")[0]
    statuses = re.findall(r"^       (\d+(?: \+ N)?)(?: |$)", section, re.M)
    table = re.search(r"\| status \| .*\n((?:\|.*\n)+)", (REPOSITORY / "README.md").read_text())[1]
    in_readme = [word.strip() for row in table.splitlines()[1:] for word in row.split("|")[1].split(",")]
    assert statuses == in_readme


def test_exit_statuses_are_those_of_the_code(text):
    section = text.partition("\nEXIT STATUS\n")[2].partition("\nENVIRONMENT\n")[0]
    code = (REPOSITORY / "src/cli/errors.cc").read_text()
    returned = set(re.findall(r"case ErrorCode::\w+: return (\d+);", code))
    assert len(returned) == 9
    assert returned | {"0"} == set(re.findall(r"^       (\d+)  ", section, re.M))
