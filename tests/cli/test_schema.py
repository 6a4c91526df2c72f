"""`pleat schema manifest`: a JSON Schema that agrees with what `pleat run` takes."""

import copy
import json
from pathlib import Path

import jsonschema
import pytest
from program import pleat

# Every key, as the reference page of the manifest shows it.
EXAMPLE = {
    "version": 1,
    "model": "esm2_t6_8M_UR50D",
    "inputs": ["proteins.fasta", "more.csv"],
    "output": "results.h5",
    "pairs": {"columns": ["a", "b"], "mode": "bait_vs_all", "baits": ["P1"], "self": False, "separator": "_"},
    "tasks": {
        "embeddings": {"layers": [-1], "per_residue": True, "mean": True, "bos": False, "dtype": "float16"},
        "logits": False,
        "contacts": False,
        "attentions": {"layers": [1, -1]},
        "structure": {"num_recycles": 3, "recycle_tolerance": 0, "pae": True, "dtype": "float16", "formats": [],
                      "chain_linker": 25, "chain_gap": 512},
    },
    "run": {"devices": "auto", "precision": "auto", "max_tokens_per_batch": "auto", "chunk_size": "auto"},
    "policy": {"residues": "convert", "max_length": 0, "duplicates": "share", "fail_on": "any"},
}

# A dotted path and a value that must not stand there; None takes the key away.
WRONG = [
    ("taks", {}),
    ("tasks.logit", True),
    ("tasks.embeddings.layer", 1),
    ("run.device", "cpu"),
    ("version", 2),
    ("version", None),
    ("model", None),
    ("model", ["a"]),
    ("model", ""),
    ("inputs", []),
    ("inputs", [["a"]]),
    ("inputs", {"a": "b"}),
    ("output", None),
    ("pairs", "all_vs_all"),
    ("pairs.mode", "all"),
    ("pairs.baits", []),
    ("pairs.columns", [["a"], "b"]),
    ("pairs.self", "yes"),
    ("pairs.separator", ""),
    ("tasks", ["logits"]),
    ("tasks.logits", "yes"),
    ("tasks.embeddings", "on"),
    ("tasks.embeddings.layers", []),
    ("tasks.embeddings.layers", [1.5]),
    ("tasks.embeddings.dtype", "bfloat16"),
    ("tasks.attentions", "last"),
    ("tasks.attentions.layers", [0.5]),
    ("tasks.structure.num_recycles", -1),
    ("tasks.structure.recycle_tolerance", -0.5),
    ("tasks.structure.recycle_tolerance", "0.5"),
    ("tasks.structure.formats", ["pdb", "mol2"]),
    ("tasks.structure.formats", "xyz"),
    ("tasks.structure.chain_linker", -1),
    ("tasks.structure.chain_linker", 1001),
    ("tasks.structure.chain_gap", 0.5),
    ("policy.max_length", -1),
    ("policy.max_length", "1"),
    ("run.precision", "fp8"),
    ("run.devices", ["cpu"]),
    ("run.max_tokens_per_batch", 7),
    ("run.max_tokens_per_batch", 1048577),
    ("run.chunk_size", 0),
    ("run.chunk_size", "all"),
    ("policy.residues", "drop"),
    ("policy.max_length", -1),
    ("policy.fail_on", True),
]


def changed(path, value):
    manifest = copy.deepcopy(EXAMPLE)
    *parents, last = path.split(".")
    place = manifest
    for parent in parents:
        place = place[parent]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return manifest


@pytest.fixture(scope="module")
def validator():
    result = pleat("schema", "manifest")
    assert result.returncode == 0, result.stderr
    schema = json.loads(result.stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_example_validates(validator):
    validator.validate(EXAMPLE)


@pytest.mark.parametrize(
    "path, value",
    [
        ("inputs", "proteins.fasta"),
        ("pairs", {"file": "pairs.tsv"}),
        ("pairs", True),
        ("tasks.embeddings", False),
        ("tasks.embeddings.layers", 3),
        ("tasks.structure", True),
        ("tasks.structure.recycle_tolerance", 0.25),
        ("tasks.structure.formats", "pdb"),
        ("tasks.structure.formats", ["pdb", "cif"]),
        ("tasks.structure.chain_linker", 0),
        ("tasks", None),
        ("run.precision", "bfloat16"),
        ("run.max_tokens_per_batch", 4096),
        ("run.chunk_size", 64),
    ],
)
def test_other_forms_validate(validator, path, value):
    validator.validate(changed(path, value))


@pytest.mark.parametrize("path, value", WRONG)
def test_what_the_schema_refuses_the_program_refuses(validator, tmp_path, path, value):
    manifest = changed(path, value)
    assert not validator.is_valid(manifest)
    file = tmp_path / "m.yaml"
    file.write_text(json.dumps(manifest))  # JSON is YAML
    result = pleat("run", file)
    assert result.returncode == 78, result.stderr
    assert f"{file}:1:" in result.stderr
    assert not (tmp_path / "results.h5").exists()


def test_the_reference_page():
    result = pleat("schema", "manifest", "--markdown")
    assert result.returncode == 0, result.stderr
    page = Path(__file__).parents[2] / "docs" / "manifest.md"
    assert result.stdout == page.read_text()


def test_a_schema_must_be_named():
    assert pleat("schema").returncode == 64
