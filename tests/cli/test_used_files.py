"""No command writes over what it reads, or one of its outputs over another."""

import shutil

import pytest
from job import Job, fasta, proteins
from program import pleat

# Outputs, with INPUT for the file that is read; each in a folder with INPUT in it.
COMMANDS = {
    "export to its input": "export INPUT --format h5 --output INPUT --overwrite",
    "export to its input, by another path": "export INPUT --format skbio --output ./../job/INPUT --overwrite",
    "export to a link to its input": "export INPUT --format npz --output link.npz --overwrite",
    "export into a folder, under its input's name": "export embeddings.h5 --format h5 --output . --overwrite",
    "problems over the input": "export INPUT --format csv --output x.csv --problems INPUT --overwrite",
    "problems over the output": "export INPUT --format csv --output x.csv --problems x.csv",
    "problems over a folder's list of ids": "export INPUT --format npy --output out --problems out/ids.txt --overwrite",
    "problems over a folder's index": "export INPUT --format pdb --output out --problems ./out/index.tsv --overwrite",
    "a page over its input": "report INPUT -o INPUT --overwrite",
    "a table over the page": "report INPUT -o x.html --multiqc x.html --overwrite",
    "a page over the table of colors": "report INPUT --color c.csv:kind -o c.csv --overwrite",
    "a merge over its part": "merge INPUT -o INPUT --overwrite",
    "a summary over the results": "run m.yaml --output new.h5 --summary-json new.h5",
    "a summary over the manifest": "run m.yaml --output new.h5 --summary-json m.yaml",
    "results over the input": "run m.yaml --output ./in.fasta --overwrite",
}


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    job = Job(tmp_path_factory.mktemp("used"))
    job.input("in.fasta", fasta(proteins(3)))
    job.compute().close()
    return job


@pytest.mark.parametrize("case", COMMANDS)
def test_nothing_is_written_twice(computed, tmp_path, case):
    folder = tmp_path / "job"
    folder.mkdir()
    shutil.copy(computed.output, folder / "results.h5")
    shutil.copy(computed.output, folder / "embeddings.h5")
    (folder / "link.npz").symlink_to("results.h5")
    (folder / "c.csv").write_text("id,kind\np0,x\n")
    shutil.copy(computed.folder / "in.fasta", folder)
    (folder / "m.yaml").write_text(computed.manifest().read_text())
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    done = pleat(*COMMANDS[case].replace("INPUT", "results.h5").split(), cwd=folder)
    assert done.returncode == 73 and "has another part in this command" in done.stderr, done.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_problems_are_not_written_over_what_is_there(computed, tmp_path):
    (tmp_path / "mine.tsv").write_text("mine")
    arguments = ("export", computed.output, "--format", "csv", "--output", tmp_path / "x.csv", "--problems",
                 tmp_path / "mine.tsv")
    assert pleat(*arguments).returncode == 73
    assert (tmp_path / "mine.tsv").read_text() == "mine" and not (tmp_path / "x.csv").exists()
    assert pleat(*arguments, "--overwrite").returncode == 0


def test_a_result_file_does_not_go_to_standard_output(computed):
    done = computed.run("--output", "-")
    assert done.returncode == 64 and "cannot go to standard output" in done.stderr
