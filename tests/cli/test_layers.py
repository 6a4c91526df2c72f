"""scripts/layers: refuses includes against the layers, and documents that do not show them as they are."""

import shutil
import subprocess

import pytest
from job import REPOSITORY

HERE = REPOSITORY / "scripts/layers"


def layers(root, *arguments):
    return subprocess.run(["/usr/bin/python3", root / "scripts/layers", *arguments], capture_output=True, text=True)


@pytest.fixture
def tree(tmp_path):
    """A small house in order."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(HERE, tmp_path / "scripts/layers")
    for name, text in {
        "src/core/error.h": "#pragma once\n",
        "src/journal/journal.cc": '#include "journal/journal_impl.h"\n#include "core/error.h"\n',
        "src/journal/journal_impl.h": "#pragma once\n#include <string>\n",
        "src/runtime/run.cc": '#include "journal/journal.h"\n',
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "docs").mkdir()
    page = layers(tmp_path).stdout
    (tmp_path / "docs/layers.txt").write_text(page)
    table = next(line for line in page.splitlines() if line.startswith("cli > "))
    for name in ("docs/design.md", "CONTRIBUTING.md"):
        (tmp_path / name).write_text(f"Text.\n\n    {table}\n")
    assert layers(tmp_path, "--check").returncode == 0
    return tmp_path


@pytest.mark.parametrize("name, include, expect", [
    ("src/core/error.h", "journal/journal.h", "core must not include journal/journal.h"),
    ("src/journal/journal.cc", "plan/cost.h", "journal must not include plan/cost.h"),
    ("src/runtime/run.cc", "journal/journal_impl.h", "journal/journal_impl.h is private to journal"),
    ("src/attic/old.cc", "core/error.h", "the folder attic has no layer"),
])
def test_an_include_against_the_layers_is_refused(tree, name, include, expect):
    file = tree / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(f'{file.read_text() if file.exists() else ""}#include "{include}"\n')
    (tree / "docs/layers.txt").write_text(layers(tree).stdout)
    done = layers(tree, "--check")
    assert done.returncode == 1
    assert done.stderr.strip() == done.stderr.strip().splitlines()[0]
    assert name in done.stderr and expect in done.stderr


def test_a_stale_page_is_refused(tree):
    (tree / "src/plan").mkdir()
    (tree / "src/plan/cost.cc").write_text('#include "core/error.h"\n')
    done = layers(tree, "--check")
    assert done.returncode == 1 and "docs/layers.txt: stale" in done.stderr


@pytest.mark.parametrize("name", ["docs/design.md", "CONTRIBUTING.md"])
def test_a_document_that_shows_other_layers_is_refused(tree, name):
    (tree / name).write_text("cli > core\n")
    done = layers(tree, "--check")
    assert done.returncode == 1 and f"{name}: does not show the layers" in done.stderr


def test_what_is_printed(tree):
    page = layers(tree).stdout
    assert "runtime     1 files      1 lines  journal" in page
    assert "journal     2 files      4 lines  core" in page


def test_this_house_is_in_order():
    # The page itself may lag behind between two changes; scripts/lint looks at it.
    problems = [line for line in layers(REPOSITORY, "--check").stderr.splitlines() if "stale" not in line]
    assert problems == []


def test_two_types_of_one_name_are_refused(tree):
    """No compiler or linker notices them. Types of unnamed namespaces and forward declarations may share names."""
    twice = "namespace pleat {\n\nstruct Range {\n  int low;\n};\n\n}  // namespace pleat\n"
    unnamed = twice.replace("struct", "namespace {\n\nstruct").replace("};\n", "};\n\n}  // namespace\n")
    (tree / "src/core/range.h").write_text(twice)
    (tree / "src/journal/one.cc").write_text(unnamed)
    (tree / "src/journal/journal_impl.h").write_text("namespace pleat {\nstruct Range;\n}  // namespace pleat\n")
    (tree / "docs/layers.txt").write_text(layers(tree).stdout)
    assert layers(tree, "--check").returncode == 0
    (tree / "src/journal/two.cc").write_text(twice)
    (tree / "docs/layers.txt").write_text(layers(tree).stdout)
    done = layers(tree, "--check")
    assert done.returncode == 1
    assert done.stderr == "pleat::Range: defined in src/core/range.h and in src/journal/two.cc\n"
