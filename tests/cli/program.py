"""The program, as a user calls it."""

import os
import signal
import subprocess
import tempfile

PLEAT = os.environ["PLEAT"]


def pleat(*arguments, timeout=300, **options):
    """What it printed, as text, and its exit status."""
    return subprocess.run([PLEAT, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, **options)


def pleat_with_peak(*arguments, timeout=3600):
    """What it printed, and the peak memory in bytes of that process alone; it must end well."""
    # wait4 waits for ever; the alarm stays set in the program and ends it.
    with tempfile.TemporaryFile("w+") as printed:
        process = subprocess.Popen([PLEAT, *map(str, arguments)], stdout=printed,
                                   preexec_fn=lambda: signal.alarm(timeout))
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        printed.seek(0)
        return printed.read(), usage.ru_maxrss * 1024


def export(file, format, output, *arguments):
    return pleat("export", file, "--format", format, "--output", output, *arguments)
