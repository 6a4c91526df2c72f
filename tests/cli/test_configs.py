"""Every manifest in configs/ is one that this pleat takes, and configs/README.md lists them all."""

import json
import os
import subprocess

import pytest
from job import REPOSITORY

PLEAT = os.environ["PLEAT"]
CONFIGS = REPOSITORY / "configs"
DEMO = CONFIGS / "demo"
MANIFESTS = sorted(path.relative_to(CONFIGS).as_posix() for path in CONFIGS.rglob("*.yaml"))


def test_there_are_some():
    assert {"embed_proteome.yaml", "fold.yaml", "fold_complexes.yaml", "embed_and_fold.yaml"} <= set(MANIFESTS)


@pytest.mark.parametrize("name", MANIFESTS)
def test_it_is_taken(name, tmp_path):
    text = (CONFIGS / name).read_text()
    folds = "structure:" in text
    model = DEMO / "models" / ("esmfold-demo" if folds else "esm2-demo")
    inputs = "fold.fasta" if folds else "proteins.fasta"
    overrides = ["--set", f"model={model}", "--set", f"inputs={DEMO / inputs}"]
    done = subprocess.run([PLEAT, "plan", CONFIGS / name, *overrides, "--json"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    planned = json.loads(done.stdout)
    assert planned["rejected"] == {} and planned["sequences"] > 0
    assert bool(planned["chunks"]) == folds


@pytest.mark.parametrize("name", MANIFESTS)
def test_it_is_listed(name):
    assert f"]({name})" in (CONFIGS / "README.md").read_text()
