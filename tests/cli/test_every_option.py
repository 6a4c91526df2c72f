"""Every key of the manifest and every option of every command, with every value that its documentation lists, in a run.

What there is comes from the program itself: a key, an option or a value without a run here fails a test."""

import json
import os
import re
import subprocess

import pytest
from command_line import COMMANDS, help_of
from folding import FOLDING
from hub_fixtures import NAME, environment, hub, storage  # noqa: F401
from job import MODEL, PLEAT, Job

FASTA = ">a first\nMKTAYIAKQRQ\n>b\nMKTAYI:GGAVL\n>bad\nMK-\n"

# What runs of a folding model are given, the i-th value of each in the i-th run.
KEYS = {
    "version": [1],
    "model": [str(FOLDING)],
    "inputs": ["in.fasta", ["in.fasta"]],
    "output": ["out.h5"],
    "tasks.embeddings.layers": [[-1], [0, 1], 1],
    "tasks.embeddings.per_residue": [True, False],
    "tasks.embeddings.mean": [True, False],
    "tasks.embeddings.bos": [True, True, False],
    "tasks.embeddings.dtype": ["float16", "float32"],
    "tasks.logits": [False],  # this model has none
    "tasks.contacts": [True, False],
    "tasks.attentions.layers": [[-1], [1, 2]],
    "tasks.structure.num_recycles": [0, 2],
    "tasks.structure.recycle_tolerance": [0, 0.5],
    "tasks.structure.pae": [True, False],
    "tasks.structure.interfaces": [True, False],
    "tasks.structure.pae_cutoff": [10, 12.5],
    "tasks.structure.distogram.bins": [True, False],
    "tasks.structure.trunk_states": [True, False],
    "tasks.structure.dtype": ["float16", "float32"],
    "tasks.structure.formats": [[], "pdb", ["cif"], ["pdb", "cif"], "cif"],
    "tasks.structure.chain_linker": [25, 0],
    "tasks.structure.chain_gap": [512, 0],
    "run.devices": ["auto", "cpu", "cpu*2"],
    "run.precision": ["auto", "fp32", "bf16", "float32", "bfloat16"],
    "run.max_tokens_per_batch": ["auto", 64],
    "run.chunk_size": ["auto", 2],
    "run.batch_timeout": ["auto", 1000],
    "policy.residues": ["convert", "strict"],
    "policy.max_length": [0, 100],
    "policy.duplicates": ["share", "separate"],
    "policy.nucleotides": ["warn", "reject", "ignore"],
    "policy.fail_on": ["any", "all", "none"],
}
# Those that have a test of their own below.
TASKS = [
    {"tasks": {"embeddings": True, "structure": False}},
    {"tasks": {"embeddings": False, "structure": True}},
    {"tasks": {"logits": True}, "model": str(MODEL)},
    {"tasks": {"embeddings": True, "scoring": False, "attentions": False}},
    {"tasks": {"attentions": True}},
    {"tasks": {"structure": {"distogram": True}}},
    {"tasks": {"structure": {"distogram": False}}},
    {"tasks": {"scoring": True}, "model": str(MODEL)},
    *({"tasks": {"scoring": {"mode": mode, "variants": variants, "method": method}}, "model": str(MODEL)}
      for mode, variants, method in (("exact", "none", "masked_marginals"), ("one_pass", "variants.csv", "pll_ratio"),
                                     ("exact", "all_single", "wildtype_marginals"))),
]
# Of the records a, b and c, and how many complexes they make.
PAIRS = [
    ({"pairs": True}, 3),
    ({"pairs": {"mode": "all_vs_all", "self": True, "separator": "+"}}, 6),
    ({"pairs": {"mode": "bait_vs_all", "baits": ["a"], "self": False}}, 2),
    ({"pairs": {"file": "pairs.tsv", "columns": ["bait", "prey"]}}, 1),
]
DELIMITERS = {"tab": "\t", "\t": "\t", ",": ",", "|": "|", " ": " "}  # as it is given, and as it is
INPUTS = [
    {"file": "in.fasta", "format": "fasta"},
    {"file": "in.fasta", "format": "auto"},
    {"file": "t.csv", "format": "csv", "columns": {"id": "Gene", "sequence": "Letters", "description": "Of"},
     "delimiter": ";"},
    {"file": "t.tsv", "format": "tsv"},
    *({"file": f"table{i}", "delimiter": delimiter} for i, delimiter in enumerate(DELIMITERS)),
]
# What a processor cannot do, and by which name it is refused.
REFUSED = [("run.precision", "fp16", "fp16"), ("run.precision", "float16", "fp16"), ("run.precision", "tf32", "tf32")]


def options_of_schema(schema, path=()):
    """Path of each key -> the values that the schema lists: words, and both of true and false."""
    found = {}
    for alternative in schema.get("anyOf", [schema]):
        if "properties" in alternative:
            for name, below in alternative["properties"].items():
                for key, values in options_of_schema(below, (*path, name)).items():
                    found.setdefault(key, []).extend(values)
            continue
        values = list(alternative.get("enum", []))
        if "const" in alternative:
            values.append(alternative["const"])
        if alternative.get("type") == "boolean":
            values += [True, False]
        if alternative.get("type") == "array":
            for key, more in options_of_schema(alternative["items"], path).items():
                found.setdefault(key, []).extend(more)
            continue
        found.setdefault(".".join(path), []).extend(values)
    return found


def leaves(value, path=()):
    """(path, value) of all that a manifest gives, a list's members one by one."""
    if isinstance(value, dict):
        return [leaf for name, below in value.items() for leaf in leaves(below, (*path, name))]
    if isinstance(value, list) and value:
        return [leaf for below in value for leaf in leaves(below, path)]
    return [(".".join(path), value)]


SCHEMA = json.loads(subprocess.run([PLEAT, "schema", "manifest"], capture_output=True, check=True).stdout)
LISTED = options_of_schema(SCHEMA)


def test_every_key_and_value_has_a_run():
    run = [(key, value) for key, values in KEYS.items() for given in values for _, value in leaves(given)]
    run += [leaf for tasks in TASKS for leaf in leaves(tasks)] + leaves({"inputs": INPUTS, "pairs": False}) + [refused[:2] for refused in REFUSED]
    run += [leaf for keys, _ in PAIRS for leaf in leaves(keys)]
    assert {key for key, _ in run} == set(LISTED)
    assert [(key, value) for key, values in LISTED.items() for value in values if (key, value) not in run] == []


def nested(flat):
    whole = {}
    for path, value in flat.items():
        *folders, name = path.split(".")
        place = whole
        for folder in folders:
            place = place.setdefault(folder, {})
        place[name] = value
    return whole


def job_of(folder, keys):
    job = Job(folder, FOLDING)
    job.keys |= keys
    job.place("in.fasta", FASTA)
    job.place("t.csv", "Gene;Letters;Of\ng;MKTAYI;x\n")
    job.place("t.tsv", "id\tsequence\nh\tMKTAY\n")
    job.place("variants.csv", "id,variants\nh,K2R:A4G\n")
    for i, delimiter in enumerate(DELIMITERS.values()):
        job.place(f"table{i}", f"id{delimiter}sequence\nd{i}{delimiter}MKTA\n")
    return job


@pytest.mark.parametrize("index", range(max(len(values) for values in KEYS.values())))
def test_keys(tmp_path, index):
    flat = {key: values[index % len(values)] for key, values in KEYS.items()}
    job = job_of(tmp_path, nested(flat))
    done = job.run()
    assert done.returncode == (65 if flat["policy.fail_on"] == "any" else 0), done.stderr
    with job.open() as file:
        assert len(file["records/id"]) == 3 and "structures" in file
        assert ("contacts" in file) == flat["tasks.contacts"]
        layer = next(iter(file["embeddings"].values()))
        for name in ("per_residue", "mean", "bos"):
            assert (name in layer) == flat[f"tasks.embeddings.{name}"]
        assert ("pae" in file["structures"]) == flat["tasks.structure.pae"]
        assert ("iptm" in file["structures"]) == flat["tasks.structure.interfaces"]
    formats = flat["tasks.structure.formats"]
    written = {path.suffix[1:] for path in (tmp_path / "out.structures").glob("a.*")}
    assert written == set([formats] if isinstance(formats, str) else formats)


@pytest.mark.parametrize("keys", TASKS)
def test_tasks(tmp_path, keys):
    job = job_of(tmp_path, keys | {"inputs": "t.tsv"})
    with job.compute("--set", "run.devices=cpu") as file:
        for task, group in (("embeddings", "embeddings"), ("structure", "structures"), ("logits", "logits"),
                            ("scoring", "scores"), ("attentions", "attentions")):
            assert (group in file) == bool(keys["tasks"].get(task, False))


def test_inputs(tmp_path):
    job = job_of(tmp_path, {"inputs": INPUTS, "tasks": {"embeddings": {"per_residue": False}}})
    with job.compute("--fail-on", "none") as file:
        assert [name.decode() for name in file["records/id"]] == ["a", "b", "bad", "a", "b", "bad", "g", "h", "d0", "d1",
                                                                   "d2", "d3", "d4"]
        assert file["records/description"].asstr()[6] == "x"


@pytest.mark.parametrize(("keys", "complexes"), [({"pairs": False}, None), *PAIRS])
def test_pairs(tmp_path, keys, complexes):
    job = job_of(tmp_path, keys | {"tasks": {"structure": {"num_recycles": 0}}})
    job.input("three.fasta", ">a\nMKTAY\n>b\nGGAVL\n>c\nWWHE\n")
    job.place("pairs.tsv", "bait\tprey\nb\ta\n")
    with job.compute() as file:
        assert len(file["records/id"]) == (complexes or 3)
        assert ("part_a" in file["records"]) == (complexes is not None)


@pytest.mark.parametrize(("key", "value", "name"), REFUSED)
def test_what_a_processor_cannot_do_is_said(tmp_path, key, value, name):
    job = job_of(tmp_path, {"inputs": "t.tsv"})
    job.refused(69, name, arguments=("--devices", "cpu", "--set", f"{key}={value}"))


# Commands: what is given to them, in a folder with results. {} is a folder of the test's own.
INVOCATIONS = [
    ("run", "m.yaml -o {}/a.h5 --devices cpu --set tasks.contacts=true --work-dir {}/w --cache {}/c --max-time 1h "
            "--progress json --log-format json --summary-json {}/s.json"),
    ("run", "m.yaml --output results.h5 --overwrite --restart --fail-on any --progress none --log-format text"),
    ("run", "m.yaml --output {}/a.h5 --fail-on all --shard 2/2 --progress auto"),
    ("run", "m.yaml --output {}/a.h5 --fail-on none --shard slurm-array"),
    ("plan", "m.yaml --devices cpu --set tasks.contacts=true --shard 1/2 --json"),
    ("plan", "m.yaml --shard slurm-array"),
    ("bench-device", "m.yaml --set tasks.contacts=true"),
    ("inspect", "results.h5 --json"),
    ("inspect", "results.h5 --table all"),
    ("inspect", "results.h5 --table problems"),
    ("inspect", "results.h5 --table inputs"),
    ("inspect", "results.h5 --records 2"),
    ("merge", "--shards 2 -o parts.h5 --overwrite --allow-missing"),
    ("merge", "parts.shard-1-of-2.h5 parts.shard-2-of-2.h5 --output {}/merged.h5"),
    ("verify", "results.h5 --manifest m.yaml --set output=results.h5 --json"),
    ("export", "results.h5 --format fasta --output - --fail-on any"),
    ("export", "results.h5 --format pdb --output {}/files --id a --id c --fail-on all --problems {}/p.tsv"),
    ("export", "results.h5 --format cif --output {}/f.tar.gz --fail-on none"),
    ("export", "results.h5 --format cif --output f.tar --overwrite"),
    ("export", "results.h5 --format json --output {}/json"),
    ("export", "results.h5 --format h5 --output {}/e.h5 --what mean --key id"),
    ("export", "results.h5 --format skbio --output {}/s.h5 --what per_residue --layer 1"),
    ("export", "results.h5 --format npz --output {}/e.npz --what bos --key sha256"),
    ("export", "results.h5 --format npy --output {}/arrays"),
    ("export", "results.h5 --format csv --output {}/e.csv"),
    ("export", "scores.h5 --format csv --output {}/scores.csv --what scores"),
    ("export", "scores.h5 --format csv --output {}/r.csv --what residue_scores"),
    ("export", "scores.h5 --format csv --output {}/v.csv --what variants"),
    ("compare", "results.h5 results.h5 --by id --limit cosine=0.99 --all --records"),
    ("compare", "results.h5 results.h5 --by sequence --json"),
    ("report", "results.h5 -o {}/r.html --structures 1 --multiqc {}/r_mqc.tsv"),
    ("report", "results.h5 --output r.html --overwrite --color colors.tsv:kind"),
    ("model list", "--json"),
    ("model fetch", f"{NAME} --output {{}}/model --revision main"),
    ("model verify", str(FOLDING)),
    ("model verify", f"{FOLDING} --compute --devices cpu --precision auto"),
    *(("model verify", f"{FOLDING} --compute --devices cpu --precision {word}")
      for word in ("fp32", "bf16", "float32", "bfloat16")),
    ("doctor", f"--devices cpu --model {FOLDING} --json"),
    ("schema manifest", "--markdown"),
    ("schema results", "--markdown"),
    ("schema man", ""),
    ("completion bash", ""),
    ("completion zsh", ""),
]
# What a processor cannot do, as an option.
REFUSED_OPTIONS = [("model verify", f"{FOLDING} --compute --devices cpu --precision {word}")
                   for word in ("tf32", "fp16", "float16")]


def test_every_option_has_a_run():
    missing = []
    for command in COMMANDS:
        given = " ".join(f" {words} " for name, words in INVOCATIONS + REFUSED_OPTIONS if name == " ".join(command))
        for names, listed in re.findall(r"^  (-\S+)(?: TEXT:\{([^}]*)\})?", help_of(command), re.M):
            for name in set(names.split(",")) - {"-h", "--help", "--version"}:
                if f" {name} " not in given:
                    missing.append((command, name))
            values = listed.split(",") if listed else []
            missing += [(names, value) for value in values if f" {names.split(',')[-1]} {value} " not in given]
    assert missing == []
    without = {command for command in COMMANDS if not any(len(other) > len(command) and other[: len(command)] == command
                                                          for other in COMMANDS)}
    assert {" ".join(command) for command in without} == {name for name, _ in INVOCATIONS}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A folder with a manifest, its results, and two parts of such."""
    folder = tmp_path_factory.mktemp("results")
    job = job_of(folder, {"inputs": "in.fasta", "tasks": {"structure": {"num_recycles": 0},
                          "embeddings": {"layers": [1, -1], "mean": True, "bos": True, "per_residue": True}}})
    job.place("in.fasta", ">a\nMKTAYIAKQRQ\n>c\nMKTAYIGGAVL\n")
    job.manifest().rename(folder / "m.yaml")
    for arguments in (["--output", "results.h5"], ["--output", "parts.h5", "--shard", "1/2"],
                      ["--output", "parts.h5", "--shard", "2/2"]):
        subprocess.run([PLEAT, "run", "m.yaml", *arguments], cwd=folder, check=True, capture_output=True)
    scores = ["--set", f"model={MODEL}", "--set", "tasks={scoring: {variants: all_single}}"]
    subprocess.run([PLEAT, "run", "m.yaml", "--output", "scores.h5", *scores], cwd=folder, check=True,
                   capture_output=True)
    (folder / "colors.tsv").write_text("id\tkind\na\tred\nc\tblue\n")
    for name in ("parts.h5", "f.tar", "r.html"):
        (folder / name).write_text("replaced")
    return folder


@pytest.mark.parametrize(("command", "words"), INVOCATIONS)
def test_options(request, results, tmp_path, command, words):
    variables = {"SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": "2",
                 "SLURM_ARRAY_TASK_COUNT": "2", "SLURM_ARRAY_TASK_STEP": "1", "XDG_CACHE_HOME": str(tmp_path)}
    if command == "model fetch":
        variables |= request.getfixturevalue("environment")
    arguments = [word.replace("{}", str(tmp_path)) for word in words.split()]
    done = subprocess.run([PLEAT, *command.split(), *arguments], cwd=results, capture_output=True, text=True,
                          env=os.environ | variables)
    assert done.returncode == 0, done.stderr
    for word in arguments:  # what is to be written is there
        if word.startswith(str(tmp_path)) and not word.endswith(("/a.h5", "/w", "/c")):
            assert os.path.exists(word), word


@pytest.mark.parametrize(("command", "words"), REFUSED_OPTIONS)
def test_refused_options(command, words):
    done = subprocess.run([PLEAT, *command.split(), *words.split()], capture_output=True, text=True)
    assert done.returncode == 69 and "precision" in done.stderr
