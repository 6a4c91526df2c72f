"""A file system of its own that somebody else fills while pleat runs: the real ENOSPC, where tests/fault has only a
limit on files. Mounting needs root."""

import os
import subprocess

from engines import PLEAT, data_of, long_job

# In a mount namespace: what it mounts is gone when it ends.
SCRIPT = """
set -eu
mkdir disk
mount -t tmpfs -o size=2g tmpfs disk
run() { "$PLEAT" run manifest.yaml --output disk/results.h5 --progress none >/dev/null; }
run & child=$!
until [ "$(cat disk/results.h5.work/pleat-segment-* 2>/dev/null | wc -c)" -gt 1000000 ]; do sleep 0.02; done
head -c 3G /dev/zero >disk/others 2>/dev/null || true
status=0; wait $child || status=$?
echo "full: $status"
[ ! -e disk/results.h5 ]
status=0; run || status=$?
echo "still full: $status"
rm disk/others
status=0; run || status=$?
echo "room again: $status"
cp disk/results.h5 results.h5
"""


def test_others_fill_the_disk(tmp_path):
    undisturbed = long_job(tmp_path)
    done = subprocess.run(
        ["unshare", "--mount", "bash", "-c", SCRIPT],
        cwd=tmp_path,
        env=os.environ | {"PLEAT": PLEAT},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["full: 75", "still full: 75", "room again: 0"], done.stderr
    assert "resumes an earlier run" in done.stderr
    assert data_of(tmp_path / "results.h5") == undisturbed
