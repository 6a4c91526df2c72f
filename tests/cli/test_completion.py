"""Completion of the command line in a real bash and a real zsh."""

import os
import pty
import re
import select
import shlex
import subprocess
import time

import pytest
from command_line import COMMANDS, OPTIONS, subcommands_of

PLEAT = os.environ["PLEAT"]
FILES = ["results.h5", "manifest.yaml", "folder"]
# What is typed, ending at the cursor, and what must be offered; None: the files and folders, "/": the folders.
CASES = [
    ("pleat ", subcommands_of(())),
    ("pleat ru", ["run"]),
    ("pleat model ", ["list", "fetch", "verify"]),
    ("pleat schema m", ["manifest", "man"]),
    ("pleat completion ", ["bash", "zsh"]),
    ("pleat run --fail-on ", ["any", "all", "none"]),
    ("pleat run --fail-on=a", ["any", "all"]),
    ("pleat run manifest.yaml --progress ", ["auto", "json", "none"]),
    ("pleat run --max-time 3h --log-format ", ["text", "json"]),
    ("pleat export results.h5 --format ", ["fasta", "pdb", "cif", "json", "h5", "skbio", "npz", "npy", "csv"]),
    ("pleat model fetch esm2_t6", ["esm2_t6_8M_UR50D"]),
    ("pleat run ", None),
    ("pleat run --output ", None),
    ("pleat run -o ", None),
    ("pleat merge results.h5 -o x.h5 ", None),
    ("pleat run --work-dir ", "/"),
    ("pleat run --summary-json s.json m", ["manifest.yaml"]),
]


def expected_of(case):
    return {None: FILES, "/": ["folder"]}.get(case, case) if not isinstance(case, list) else case


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shell")
    (folder / "here/folder").mkdir(parents=True)
    (folder / "here/results.h5").touch()
    (folder / "here/manifest.yaml").touch()
    (folder / "functions").mkdir()
    for shell, name in (("bash", "pleat.bash"), ("zsh", "functions/_pleat")):
        done = subprocess.run([PLEAT, "completion", shell], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        (folder / name).write_text(done.stdout)
    return folder


BASH = """
source ../pleat.bash
COMP_WORDS=({words}) COMP_CWORD={last}
[[ $(complete -p pleat) == 'complete -F _pleat pleat' ]] || exit 1
_pleat pleat
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def bash(folder, line):
    # As bash divides the line: = stands alone.
    words = re.findall(r"=|[^\s=]+", line)
    if line.endswith((" ", "=")):
        words.append("")
    script = BASH.format(words=shlex.join(words), last=len(words) - 1)
    done = subprocess.run(["bash", "--norc", "-c", script], cwd=folder / "here", capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.parametrize(("line", "case"), CASES)
def test_bash(folder, line, case):
    assert sorted(bash(folder, line)) == sorted(expected_of(case))


@pytest.mark.parametrize("path", COMMANDS)
def test_bash_knows_every_option(folder, path):
    assert bash(folder, " ".join(("pleat", *path, "-"))) == OPTIONS[path]
    for name in subcommands_of(path):
        assert name in bash(folder, " ".join(("pleat", *path, name[:1])))


def test_scripts_are_sound(folder):
    assert subprocess.run(["bash", "-n", folder / "pleat.bash"]).returncode == 0
    assert subprocess.run(["zsh", "-n", folder / "functions/_pleat"]).returncode == 0


# Every set of matches that the completion hands to zsh is written to a file besides.
ZSH = """
unsetopt prompt_cr prompt_sp zle_bracketed_paste beep
PROMPT='ready> '
fpath=(../functions $fpath)
autoload -Uz compinit
compinit -u -D
compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi
  local -a matches
  builtin compadd -O matches "$@"
  print -rl -- $matches >>$CAPTURED
  builtin compadd "$@"
}
# Says when it is done: with more keys waiting, zsh would not look at all matches.
complete_and_say() {
  zle complete-word
  BUFFER=
  print done >$CAPTURED.done
}
zle -N complete_and_say
bindkey '^I' complete_and_say
print done >$CAPTURED.done
"""


class Zsh:
    """An interactive one on a terminal of its own."""

    def __init__(self, folder):
        self.captured = folder / "captured"
        (folder / "start.zsh").write_text(ZSH)
        process, self.terminal = pty.fork()
        if process == 0:
            os.chdir(folder / "here")
            environment = os.environ | {"TERM": "dumb", "CAPTURED": str(self.captured)}
            os.execvpe("zsh", ["zsh", "-f", "-i"], environment)
        self.process = process
        self.send("source ../start.zsh\n")

    def send(self, text):
        """Types it, and waits until what it starts is done."""
        done = self.captured.with_name("captured.done")
        done.unlink(missing_ok=True)
        os.write(self.terminal, text.encode())
        seen, end = "", time.monotonic() + 120
        while not done.exists() or not done.read_text():
            assert time.monotonic() < end, seen
            if select.select([self.terminal], [], [], 0.02)[0]:
                seen += os.read(self.terminal, 65536).decode(errors="replace")

    def complete(self, line):
        self.captured.write_text("")
        self.send(f"{line}\t")
        return sorted(set(self.captured.read_text().split()))

    def close(self):
        os.close(self.terminal)
        os.waitpid(self.process, 0)


@pytest.fixture(scope="module")
def zsh(folder):
    shell = Zsh(folder)
    yield shell
    shell.close()


@pytest.mark.parametrize(("line", "case"), CASES)
def test_zsh(zsh, line, case):
    assert zsh.complete(line) == sorted(expected_of(case))


@pytest.mark.parametrize("path", COMMANDS)
def test_zsh_knows_every_option(zsh, path):
    offered = {word.rstrip("=") for word in zsh.complete(" ".join(("pleat", *path, "-")))}
    offered |= {word.rstrip("=") for word in zsh.complete(" ".join(("pleat", *path, "--")))}
    assert offered >= set(OPTIONS[path])
