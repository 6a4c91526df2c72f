"""The scripts of workflows/nextflow under Nextflow's strict parser, and its modules by nf-core's rules."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from engines import MODEL, PLEAT, REPOSITORY, run

PIPELINE = REPOSITORY / "workflows/nextflow"
MODULES = sorted((PIPELINE / "modules/pleat").iterdir())
# Of nf-core's linter.
LABELS = {"process_single", "process_low", "process_medium", "process_high", "process_long", "process_low_memory",
          "process_high_memory"}
META_KEYS = {"id", "single_end", "strandedness"}
EXT_KEYS = {"args", "prefix", "prefix2", "when"}
VERSION = """tuple val("${task.process}"), val('pleat'), eval("pleat --version | cut -d' ' -f1"), topic: versions, \
emit: versions_pleat"""


def strict(*files):
    checker = REPOSITORY / "tests/workflows/strict_nextflow.groovy"
    command = ["java", "-cp", f"{os.environ['PLEAT_NF_LANG_JARS']}/*", "groovy.ui.GroovyMain", checker, *files]
    return subprocess.run([str(word) for word in command], capture_output=True, text=True)


def test_the_strict_parser_has_nothing_to_say():
    files = sorted([*PIPELINE.rglob("*.nf"), *PIPELINE.rglob("*.config")])
    assert len(files) == 7
    done = strict(*files)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "7 files, 0 errors and warnings"


def test_the_strict_parser_is_strict(tmp_path):
    bad = tmp_path / "bad.nf"
    bad.write_text("workflow {\n    for (i in 1..2) { println i }\n    x = channel.of(1).map { it + 1 }\n}\n")
    config = tmp_path / "nextflow.config"
    config.write_text("process { ext.args = { nothing_of_that_name } }\n")
    done = strict(bad, config)
    assert done.returncode == 1
    for text in ("bad.nf:2:5: error", "bad.nf:3", "warning: Implicit closure parameter", "nextflow.config:1"):
        assert text in done.stdout
    assert strict().returncode == 1


def section(script, name):
    """What stands between `name:` and the next section."""
    found = re.search(rf"^    {name}:\n(.*?)(?=^    (?:input|output|when|script|stub):\n|^}}|\Z)", script, re.M | re.S)
    assert found, name
    return found[1]


def elements(line):
    """The names of a channel's elements, as meta.yml has them."""
    return re.findall(r"\b(?:val|path|eval)[( ](\"[^\"]*\"|'[^']*'|\w+)", line.split("//")[0])


def channels(text):
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("//")]


def described(channel):
    """The same of an entry of meta.yml."""
    entries = channel if isinstance(channel, list) else [channel]
    for entry in entries:
        (body,) = entry.values()
        assert body["type"] in ("map", "file", "directory", "string", "integer", "eval") and body["description"]
    return [next(iter(entry)) for entry in entries]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_a_module_is_as_nf_core_wants_it(module):
    script = (module / "main.nf").read_text()
    meta = yaml.safe_load((module / "meta.yml").read_text())
    name = f"pleat_{module.name}"
    assert f"process {name.upper()} {{" in script and meta["name"] == name
    labels = re.findall(r"^    label '(\w+)'$", script, re.M)
    assert len(labels) == 1 and labels[0] in LABELS
    assert section(script, "when").strip() == "task.ext.when == null || task.ext.when"
    assert "def prefix = task.ext.prefix ?:" in section(script, "script") and "params." not in script
    assert set(re.findall(r"\bmeta\.(\w+)", script)) <= META_KEYS
    assert set(re.findall(r"\bext\.(\w+)", script)) <= EXT_KEYS
    assert VERSION in section(script, "output")
    assert re.search(r"^    container '(.+)'$", script, re.M)[1] == meta["containers"]["docker"]["linux/amd64"]["name"]
    assert (module / "README.md").read_text().startswith(f"# pleat/{module.name}\n")
    assert section(script, "stub")
    # What meta.yml says of the inputs, outputs and topics is what the script has.
    assert [described(channel) for channel in meta["input"]] == [
        elements(line) for line in channels(section(script, "input"))
    ]
    outputs = {re.search(r"emit: (\w+)", line)[1]: line for line in channels(section(script, "output"))}
    unquoted = {emit: [word.strip("'\"") for word in elements(line)] for emit, line in outputs.items()}
    assert {emit: [word.strip("'\"") for word in described(channel[0])] for emit, channel in meta["output"].items()} == unquoted
    assert [described(channel) for channel in meta["topics"]["versions"]] == [unquoted["versions_pleat"]]
    # The rest that it must say.
    assert meta["description"] and len(set(meta["keywords"])) >= 3 and meta["authors"] and meta["maintainers"]
    (tool,) = meta["tools"]
    assert tool["pleat"]["description"] and tool["pleat"]["licence"] == ["MIT"]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_the_example_of_a_module_is_strict_and_runs(tmp_path, module):
    (example,) = re.findall(r"```nextflow\n(.*?)```", (module / "README.md").read_text(), re.S)
    script = tmp_path / "main.nf"
    script.write_text(example.replace("/data/models/esm2_t33_650M_UR50D", str(MODEL)))
    (tmp_path / "modules").symlink_to(PIPELINE / "modules")
    for name in ("mouse.fasta", "manifest.yaml", "mouse.h5", *(f"parts/mouse.shard-{i}-of-4.h5" for i in range(1, 5))):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    done = strict(script)
    assert done.returncode == 0, done.stdout
    environment = os.environ | {"PATH": f"{Path(PLEAT).parent}:{os.environ['PATH']}", "NXF_HOME": str(tmp_path / "home")}
    shown = run("nextflow", "run", script, "-stub", cwd=tmp_path, env=environment).stdout
    assert "Submitted process > PLEAT_" in shown and "WARN" not in shown
