"""`cmake --install` with the files for man and the shells."""

import os
import subprocess
from pathlib import Path

PLEAT = Path(os.environ["PLEAT"])
FILES = {
    "share/man/man1/pleat.1": ("schema", "man"),
    "share/bash-completion/completions/pleat": ("completion", "bash"),
    "share/zsh/site-functions/_pleat": ("completion", "zsh"),
}


def test_installed_files_are_what_the_program_prints(tmp_path):
    script = PLEAT.parents[1] / "src/cli/cmake_install.cmake"
    done = subprocess.run(["cmake", f"-DCMAKE_INSTALL_PREFIX={tmp_path}", "-P", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for file, command in FILES.items():
        printed = subprocess.run([PLEAT, *command], capture_output=True, timeout=60, check=True).stdout
        assert (tmp_path / file).read_bytes() == printed
    shown = subprocess.run([tmp_path / "bin/pleat", "--version"], capture_output=True, text=True, timeout=60)
    assert shown.returncode == 0, shown.stderr
