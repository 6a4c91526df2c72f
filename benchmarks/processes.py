"""What the benchmarks share: running a program and weighing it, the machine's own rate, a description of the machine.

Nothing here may load anything large: a child's peak memory, as the kernel counts it, is at least its parent's.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
# glibc told to keep its pages: what an expert would set for Hugging Face.
TUNED = {"MALLOC_MMAP_THRESHOLD_": "4000000000", "MALLOC_TRIM_THRESHOLD_": "8000000000"}


def run_child(command, extra_env=None):
    """Returns (seconds, peak resident bytes, standard output); ends the program where the child fails."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begin = time.perf_counter()
        child = subprocess.Popen(
            [str(part) for part in command], stdout=out, stderr=err, env=os.environ | (extra_env or {})
        )
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if child.returncode != 0:
            sys.exit(f"{command[0]} ended with {child.returncode}:\n{err.read().decode()[-2000:]}")
        return seconds, usage.ru_maxrss * 1024, out.read().decode()


def sgemm(threads):
    """The rates of torch.mm and of oneDNN, in FLOP/s."""
    return tuple(float(rate) for rate in run_child([sys.executable, HERE / "sgemm.py", threads])[2].split())


def machine(threads):
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    fields = dict(tuple(part.strip() for part in line.split(":", 1)) for line in lines if ":" in line)
    flags = fields.get("flags", "").split()
    width = "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else "no AVX2"
    return f"{fields.get('model name', 'unknown processor')}, {threads} CPUs, {width}"
