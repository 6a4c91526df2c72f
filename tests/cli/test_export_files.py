"""Which files `pleat export` writes, where, under which names, and what it leaves out."""

import tarfile

import gemmi
import pytest
from exported import file, folders, index_of, made  # noqa: F401
from program import export, pleat
from structure_results import Results, atoms_of

@pytest.mark.parametrize("format", ["pdb", "cif"])
def test_index(folders, made, format):
    rows = index_of(folders[format])
    assert [row["file"] for row in rows] == [f"{name}.{format}" for name in ("all20", "insulin", "trimer")]
    assert [row["length"] for row in rows] == ["21", "51", "10"]
    assert [row["record"] for row in rows] == [row["sequence"] for row in rows] == ["0", "1", "2"]
    assert {row["status"] for row in rows} == {"ok"} and {row["reason"] for row in rows} == {""}
    for row, structure in zip(rows, made.structures):
        assert float(row["mean_plddt"]) == pytest.approx(structure["mean"], abs=6e-3)
        assert float(row["ptm"]) == pytest.approx(structure["ptm"], abs=6e-5)


FOUL = ["sp|P01308|INS_HUMAN", "../../escape", "/etc/passwd", "CON", "con", ".", "..", "-rf", "a b", "a\tb", "x" * 5000,
        "X" * 5000, "α-é", "日本", "Same", "same", "SAME", "same", "nul\x7f", "a.pdb", "index.tsv", "back\\slash", "'q\"q'",
        "_atom_site.id", "data_x", ";semi", "?", "."]


@pytest.mark.parametrize("format", ["pdb", "cif"])
def test_foul_ids(tmp_path, format):
    results = Results()
    shared = results.sequence("MKVLA")
    for name in FOUL:
        results.record(name, shared)
    results.write(tmp_path / "x.h5")
    out = tmp_path / "deep" / "out"
    done = export(tmp_path / "x.h5", format, out)
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep", "x.h5"]
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["out"]
    rows = index_of(out)
    assert len(rows) == len(FOUL)
    escaped = [name.replace("\\", "\\\\").replace("\t", "\\t") for name in FOUL]
    assert [row["id"] for row in rows] == escaped
    names = [row["file"] for row in rows]
    assert len({name.lower() for name in names}) == len(FOUL)
    assert all(len(name) <= 100 and name.isascii() and name[0] not in ".-" for name in names)
    assert sorted(p.name for p in out.iterdir()) == sorted([*names, "index.tsv"])
    for name in names:
        structure = gemmi.read_structure(str(out / name))
        assert structure[0].count_atom_sites() == sum(len(atoms_of(letter)) for letter in "MKVLA")
    # One record alone has the same name.
    done = export(tmp_path / "x.h5", format, tmp_path / "one", "--id", "SAME")
    assert done.returncode == 0, done.stderr
    assert [row["file"] for row in index_of(tmp_path / "one")] == [names[FOUL.index("SAME")]]


def test_records_without_a_structure(tmp_path):
    results = Results()
    results.add("good", "MKV")
    row = results.sequence("AAAA", computed=False)
    results.record("lost", row, status=2, code="not_finite", message="the model gave\tNaN")
    results.record("refused", -1, status=1, code="bad_residue", message="residue 3 is '7'")
    results.add("unknown", "XX")
    file = results.write(tmp_path / "x.h5")
    done = export(file, "pdb", tmp_path / "out")
    assert done.returncode == 0  # all that can be written is
    assert "3 records left out" in done.stderr
    assert "left out: 'lost': the model gave" in done.stderr
    assert "left out: 'unknown': it has no atoms" in done.stderr
    assert "--format cif" not in done.stderr  # which holds no more
    assert export(file, "pdb", tmp_path / "any", "--fail-on", "any").returncode == 65
    rows = index_of(tmp_path / "out")
    assert [row["file"] for row in rows] == ["good.pdb", "", "", ""]
    assert [row["status"] for row in rows] == ["ok", "failed", "rejected", "ok"]
    assert [row["reason"] for row in rows[1:3]] == ["the model gave\\tNaN", "residue 3 is '7'"]
    assert (rows[1]["mean_plddt"], rows[1]["ptm"]) == ("", "")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["good.pdb", "index.tsv"]
    # Not computed is no failure of an export, unless it was asked for by name.
    assert export(file, "pdb", tmp_path / "o2", "--id", "good").returncode == 0
    assert export(file, "pdb", tmp_path / "o3", "--id", "good", "--id", "lost").returncode == 65
    assert (tmp_path / "o3" / "good.pdb").is_file()
    assert export(file, "pdb", tmp_path / "o4", "--id", "lost", "--fail-on", "none").returncode == 0
    problems = tmp_path / "problems.tsv"
    assert export(file, "pdb", tmp_path / "o5.tar.gz", "--problems", problems).returncode == 0
    assert [line.split("\t")[:2] for line in problems.read_text().splitlines()] == [
        ["id", "status"], ["unknown", "not_exported"]]


def test_nothing_that_can_be_written(tmp_path):
    results = Results()
    results.add("unknown", "XX")
    file = results.write(tmp_path / "x.h5")
    for fail_on, status in (("any", 65), ("all", 65), ("none", 0)):
        assert export(file, "cif", tmp_path / fail_on, "--fail-on", fail_on).returncode == status
    shown = pleat("inspect", file, "--records", 1).stdout
    assert "nan" not in shown
    assert "nan" not in pleat("inspect", file, "--table", "all").stdout


def test_one_structure_to_stdout(file, folders):
    done = export(file, "pdb", "-", "--id", "insulin")
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout == (folders["pdb"] / "insulin.pdb").read_text()
    for ids in ([], ["--id", "insulin", "--id", "all20"]):
        done = export(file, "pdb", "-", *ids)
        assert done.returncode == 64 and done.stdout == ""


def test_unknown_ids(file, tmp_path):
    done = export(file, "cif", tmp_path / "out", "--id", "insulin", "--id", "nobody")
    assert done.returncode == 65 and "nobody" in done.stderr
    assert not (tmp_path / "out").exists()


def test_what_is_there_is_kept(file, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "trimer.pdb").write_text("precious")
    done = export(file, "pdb", out)
    assert done.returncode == 73 and "trimer.pdb" in done.stderr and "--overwrite" in done.stderr
    assert [p.name for p in out.iterdir()] == ["trimer.pdb"]
    assert (out / "trimer.pdb").read_text() == "precious"
    assert export(file, "pdb", out, "--overwrite").returncode == 0
    assert (out / "trimer.pdb").read_text().startswith("HEADER")
    (tmp_path / "plain").write_text("x")
    assert export(file, "pdb", tmp_path / "plain").returncode == 73


@pytest.mark.parametrize("name", ["s.fasta", "s.tar.gz", "s.fasta.tgz", "folder", "folder.d/"])
def test_where_sequences_go(file, tmp_path, name):
    expected = export(file, "fasta", "-").stdout
    done = pleat("export", file, "--format", "fasta", "--output", f"{tmp_path}/{name}")
    assert done.returncode == 0, done.stderr
    if name.endswith("gz"):
        with tarfile.open(tmp_path / name) as archive:
            (member,) = archive.getmembers()
            assert member.name.endswith("/sequences.fasta")
            assert archive.extractfile(member).read().decode() == expected
    elif name == "s.fasta":
        assert (tmp_path / name).read_text() == expected
    else:
        assert (tmp_path / name / "sequences.fasta").read_text() == expected
    assert pleat("export", file, "--format", "fasta", "--output", f"{tmp_path}/{name}").returncode == 73
    assert pleat("export", file, "--format", "fasta", "--output", f"{tmp_path}/{name}", "--overwrite").returncode == 0


def test_where_structures_go(file, folders, tmp_path):
    one = tmp_path / "one.pdb"
    assert export(file, "pdb", one, "--id", "insulin").returncode == 0
    assert one.read_text() == (folders["pdb"] / "insulin.pdb").read_text()
    assert export(file, "pdb", one, "--id", "all20").returncode == 73
    assert export(file, "pdb", tmp_path / "two.pdb").returncode == 64
    for name in ("x.cif", "x.zip", "x.pdb.gz", "x.fasta"):
        done = export(file, "pdb", tmp_path / name)
        assert done.returncode == 64 and ".tar.gz" in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one.pdb"]


@pytest.mark.parametrize("name,mode", [("all.tar", "r:"), ("all.tar.gz", "r:gz")])
def test_archive(file, folders, tmp_path, name, mode):
    done = export(file, "cif", tmp_path / name)
    assert done.returncode == 0 and done.stdout == f"{tmp_path / name}\n"
    assert [p.name for p in tmp_path.iterdir()] == [name]
    with tarfile.open(tmp_path / name, mode) as archive:
        assert sorted(archive.getnames()) == sorted(f"all/{p.name}" for p in folders["cif"].iterdir())
        for member in archive:
            assert member.mode == 0o644 and member.mtime == 1738324800
            content = archive.extractfile(member).read()
            assert content == (folders["cif"] / member.name.removeprefix("all/")).read_bytes()
    assert export(file, "cif", tmp_path / name).returncode == 73
    assert export(file, "cif", tmp_path / name, "--overwrite").returncode == 0
