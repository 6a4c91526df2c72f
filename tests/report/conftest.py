"""Result files, their pages, and one browser for all tests."""

import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/cli"))

from browser import Browser  # noqa: E402
from structure_results import Results  # noqa: E402

PLEAT = os.environ["PLEAT"]


def pleat(*arguments):
    done = subprocess.run([PLEAT, *map(str, arguments)], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="session")
def browser(folder):
    (folder / "downloads").mkdir()
    made = Browser(folder / "downloads")
    yield made
    made.driver.quit()


@pytest.fixture(scope="session")
def structures(folder):
    """The demo's folds."""
    pleat("run", ROOT / "configs/demo/fold.yaml", "--output", folder / "structures.h5", "--progress", "none")
    return folder / "structures.h5"


@pytest.fixture(scope="session")
def structures_page(structures, folder):
    pleat("report", structures, "-o", folder / "structures.html")
    return folder / "structures.html"


@pytest.fixture(scope="session")
def embeddings_page(folder):
    """The demo's embeddings, colored by a table."""
    results = folder / "results.h5"
    pleat("run", ROOT / "configs/demo/manifest.yaml", "--output", results, "--progress", "none")
    with h5py.File(results) as file:
        ids = list(file["records/id"].asstr()[:])
    rows = [f'"{name}",{"odd" if i % 2 else "even"}' for i, name in enumerate(ids)]
    (folder / "colors.csv").write_text("id,kind\n" + "\n".join(rows) + "\n")
    pleat("report", results, "-o", folder / "results.html", "--color", f"{folder / 'colors.csv'}:kind")
    return folder / "results.html"


HOSTILE = ["<script>alert(1)</script>", "</script><img src=x onerror=alert(1)>", "\"'`&amp;", "gnp.\u202eBDP", "x" * 10_000]


@pytest.fixture(scope="session")
def hostile_page(folder):
    results = Results()
    for i, text in enumerate(HOSTILE):
        row = results.sequence("ACDEFGHIKLMNPQRSTVWY"[: 10 + i], scale=5.0)
        results.record(text, row, description=text, message=text)
    pleat("report", results.write(folder / "hostile.h5"), "-o", folder / "hostile.html")
    return folder / "hostile.html"


def write_many(path, count):
    """A file of `count` records with mean vectors, as docs/results.md has it."""
    random = np.random.default_rng(1)
    lengths = random.integers(20, 60, count)
    text = h5py.string_dtype("utf-8")
    with h5py.File(path, "w") as file:
        for name, value in {"format": "pleat-results", "model_name": "made up", "created_utc": "2025-01-31T12:00:00Z"}.items():
            file.attrs[name] = value
        file.attrs["schema_version"] = np.int32(1)
        file.attrs["complete"] = np.uint8(1)
        columns = {"id": [f"sp|P{i:06}|PROT{i}_HUMAN" for i in range(count)],
                   "description": [f"Protein number {i} OS=Homo sapiens OX=9606 GN=GENE{i}" for i in range(count)],
                   "error_code": [""] * count, "message": [""] * count, "device": ["cpu:0"] * count}
        for name, values in columns.items():
            file.create_dataset(f"records/{name}", data=values, dtype=text)
        file["records/sequence"] = np.arange(count, dtype=np.int64)
        file["records/status"] = np.zeros(count, np.uint8)
        file["records/seconds"] = random.uniform(0.01, 2, count)
        file["records/attempts"] = np.ones(count, np.int32)
        file["records/memory_rung"] = np.zeros(count, np.uint8)
        file["sequences/offsets"] = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        file["sequences/residues"] = np.full(lengths.sum(), ord("A"), np.uint8)
        file["sequences/chain"] = np.zeros(lengths.sum(), np.uint16)
        file["embeddings/layer_06/mean"] = random.normal(size=(count, 32)).astype(np.float32)
    return path


@pytest.fixture(scope="session")
def large_page(folder):
    done = pleat("report", write_many(folder / "large.h5", 100_000), "-o", folder / "large.html")
    assert " warning: " not in done.stderr, done.stderr  # the page has its usual size
    return folder / "large.html"
