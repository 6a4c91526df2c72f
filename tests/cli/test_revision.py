"""The revision that is built into the program: no two different source trees have the same one."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "cmake/WriteRevision.cmake"
GIT = shutil.which("git")


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "tree"
    for name in ("src/core/a.cc", "cmake/b.cmake", "CMakeLists.txt", "docs/c.md"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def git(tree, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([GIT, "-C", tree, *identity, *arguments], check=True, capture_output=True)


def commit(tree):
    if not (tree / ".git").exists():
        git(tree, "init", "-q")
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "x")


def revision(tree, *options):
    output = tree.parent / "revision.cc"
    command = ["cmake", f"-DSOURCE_FOLDER={tree}", f"-DGIT={GIT}", f"-DOUTPUT={output}", *options, "-P", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return re.search(r'return "(.*)"', output.read_text())[1]


def test_a_clean_tree_is_its_commit(tree):
    commit(tree)
    assert re.fullmatch("[0-9a-f]{12}", revision(tree))
    before = (tree.parent / "revision.cc").stat().st_mtime_ns
    (tree / "docs/c.md").write_text("not compiled")
    assert re.fullmatch("[0-9a-f]{12}", revision(tree))
    assert (tree.parent / "revision.cc").stat().st_mtime_ns == before, "it would be compiled anew"


@pytest.mark.parametrize("known", [True, False], ids=["git", "no git"])
def test_different_trees_never_share_one(tree, known):
    if known:
        commit(tree)
    seen = {revision(tree)}
    for name, content in [
        ("src/core/a.cc", "one"),
        ("src/core/a.cc", "two"),
        ("src/core/new.cc", ""),
        ("cmake/b.cmake", "x"),
        ("CMakeLists.txt", "x"),
    ]:
        (tree / name).write_text(content)
        found = revision(tree)
        assert re.fullmatch("[0-9a-f]{12}-dirty-[0-9a-f]{12}" if known else "unknown-[0-9a-f]{12}", found)
        assert found not in seen
        seen.add(found)
    assert revision(tree) in seen
    if known:
        commit(tree)
        assert re.fullmatch("[0-9a-f]{12}", revision(tree)) and revision(tree) not in seen


def test_a_build_without_the_history_can_be_told(tree):
    assert revision(tree, "-DKNOWN_REVISION=abc") == "abc"


def test_the_program_says_it():
    shown = subprocess.run([os.environ["PLEAT"], "--version"], capture_output=True, text=True, check=True).stdout
    assert re.search(r"\(([0-9a-f]{12}|.*-dirty-[0-9a-f]{12}|unknown-[0-9a-f]{12})\)", shown), shown
