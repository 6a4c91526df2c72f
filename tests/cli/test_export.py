"""`pleat export --format pdb|cif`, read back by gemmi and by Biopython."""

import csv
import json
import os
import subprocess
import tarfile
import warnings

import gemmi
import h5py
import numpy as np
import pytest
from Bio.PDB import MMCIFParser, PDBParser
from Bio.PDB.MMCIF2Dict import MMCIF2Dict
from structure_results import LETTERS, NAMES, Results, atoms_of

PLEAT = os.environ["PLEAT"]
INSULIN = "GIVEQCCTSICSLYQLENYCN:FVNQHLCGSHLVEALYLVCGERGFFYTPKT"
THREE_LETTERS = dict(zip(LETTERS, NAMES))


def run(*arguments, **options):
    return subprocess.run([PLEAT, *map(str, arguments)], capture_output=True, text=True, timeout=300, **options)


def export(file, format, output, *arguments):
    return run("export", file, "--format", format, "--output", output, *arguments)


def index_of(folder):
    with open(folder / "index.tsv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def chain_names(count):
    return list("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")[:count]


@pytest.fixture(scope="module")
def made():
    results = Results()
    results.add("all20", "ARNDCQEGHILKMFPSTWYVX", "every residue and an X")
    results.add("insulin", INSULIN, "two chains")
    results.add("trimer", "MKX:MKX:XXGX", "two chains alike, X at the ends")
    return results


@pytest.fixture(scope="module")
def file(made, tmp_path_factory):
    return made.write(tmp_path_factory.mktemp("export") / "results.h5")


@pytest.fixture(scope="module")
def folders(file):
    """format -> a folder with everything in that format."""
    made = {}
    for format in ("pdb", "cif"):
        made[format] = file.parent / format
        done = export(file, format, made[format])
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"{made[format]}/index.tsv\n"
        assert "3 structures written" in done.stderr
    return made


def expected_atoms(made, row):
    """(chain, number, residue, atom) -> (x, y, z, pLDDT)"""
    atoms = {}
    structure = made.structures[row]
    names = chain_names(62)
    at = 0
    for name, chain in zip(names, made.sequences[row]):
        for number, letter in enumerate(chain, 1):
            for slot, atom in enumerate(atoms_of(letter)):
                values = (*structure["positions"][at, slot], structure["plddt"][at, slot])
                atoms[name, number, THREE_LETTERS[letter], atom] = np.array(values, np.float64)
            at += 1
    return atoms


def expect_same(found, expected):
    assert list(found) == list(expected)  # in this order
    for key, values in found.items():
        np.testing.assert_allclose(values[:3], expected[key][:3], atol=1e-3, err_msg=str(key))
        np.testing.assert_allclose(values[3], expected[key][3], atol=6e-3, err_msg=str(key))


CASES = [(format, row, name) for format in ("pdb", "cif") for row, name in enumerate(("all20", "insulin", "trimer"))]


@pytest.mark.parametrize("format,row,name", CASES)
def test_gemmi_reads_it(folders, made, format, row, name):
    structure = gemmi.read_structure(str(folders[format] / f"{name}.{format}"))
    assert len(structure) == 1
    found = {}
    for chain in structure[0]:
        for residue in chain:
            assert residue.het_flag == "A"
            for atom in residue:
                assert atom.occ == 1 and not atom.has_altloc()
                assert atom.element.name == atom.name[0]
                found[chain.name, residue.seqid.num, residue.name, atom.name] = (*atom.pos.tolist(), atom.b_iso)
    expect_same(found, expected_atoms(made, row))
    # The sequence is whole, X as well.
    for chain, letters in zip(chain_names(9), made.sequences[row]):
        entities = [entity for entity in structure.entities if entity.name == chain or chain in entity.subchains]
        assert [list(entity.full_sequence) for entity in entities] == [[THREE_LETTERS[x] for x in letters]]


@pytest.mark.parametrize("format,row,name", CASES)
def test_biopython_reads_it(folders, made, format, row, name):
    parser = PDBParser(PERMISSIVE=False) if format == "pdb" else MMCIFParser()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        structure = parser.get_structure(name, folders[format] / f"{name}.{format}")
    models = list(structure)
    assert len(models) == 1
    found = {}
    for chain in models[0]:
        for residue in chain:
            hetero, number, insertion = residue.id
            assert (hetero, insertion) == (" ", " ")
            for atom in residue:
                found[chain.id, number, residue.resname, atom.name] = (*atom.coord, atom.bfactor)
    expect_same(found, expected_atoms(made, row))


def test_pdb_head(folders, made):
    text = (folders["pdb"] / "insulin.pdb").read_text()
    assert all(len(line) == 80 for line in text.splitlines())
    assert "TITLE     insulin two chains" in text
    assert "REMARK   6 RECORD: insulin " in text
    assert "REMARK   6 PROGRAM: pleat 9.8.7 " in text
    assert "REMARK   6 MODEL: esmfold_v1 " in text
    assert f"REMARK   6 MEAN PLDDT: {made.structures[1]['mean']:.2f} " in text
    assert f"REMARK   6 PTM: {made.structures[1]['ptm']:.4f} " in text
    assert "UNTRAINED" not in text
    assert [line[:3] + line[21] for line in text.splitlines() if line.startswith("TER")] == ["TERA", "TERB"]


def test_cif_metrics(folders, made):
    cif = MMCIF2Dict(str(folders["cif"] / "trimer.cif"))
    metrics = {}
    for number, value in zip(cif["_ma_qa_metric_global.metric_id"], cif["_ma_qa_metric_global.metric_value"]):
        metrics[cif["_ma_qa_metric.name"][int(number) - 1]] = float(value)
    assert metrics == {"pLDDT": pytest.approx(made.structures[2]["mean"], abs=6e-3),
                       "pTM": pytest.approx(made.structures[2]["ptm"], abs=6e-5)}
    modes = list(zip(cif["_ma_qa_metric.name"], cif["_ma_qa_metric.mode"], cif["_ma_qa_metric.type"]))
    assert modes == [("pLDDT", "global", "pLDDT"), ("pLDDT", "local", "pLDDT"), ("pTM", "global", "pTM")]
    local = [cif[f"_ma_qa_metric_local.{tag}"] for tag in ("label_asym_id", "label_seq_id", "label_comp_id")]
    assert list(zip(*local)) == [("A", "1", "MET"), ("A", "2", "LYS"), ("B", "1", "MET"), ("B", "2", "LYS"), ("C", "3", "GLY")]
    values = list(map(float, cif["_ma_qa_metric_local.metric_value"]))
    np.testing.assert_allclose(values, made.structures[2]["plddt"][[0, 1, 3, 4, 8], 1], atol=6e-3)


def test_cif_entities(folders):
    cif = MMCIF2Dict(str(folders["cif"] / "trimer.cif"))
    assert cif["_entity.id"] == ["1", "2"]  # two chains are the same molecule
    assert list(zip(cif["_struct_asym.id"], cif["_struct_asym.entity_id"])) == [("A", "1"), ("B", "1"), ("C", "2")]
    assert cif["_entity_poly.pdbx_strand_id"] == ["A,B", "C"]
    assert cif["_entity_poly.pdbx_seq_one_letter_code_can"] == ["MKX", "XXGX"]
    assert cif["_entity_poly.pdbx_seq_one_letter_code"] == ["MK(UNK)", "(UNK)(UNK)G(UNK)"]
    assert cif["_entity_poly_seq.mon_id"] == ["MET", "LYS", "UNK", "UNK", "UNK", "GLY", "UNK"]
    assert cif["_chem_comp.id"] == ["GLY", "LYS", "MET", "UNK"]
    assert set(cif["_atom_site.label_asym_id"]) == set(cif["_atom_site.auth_asym_id"]) == {"A", "B", "C"}
    assert cif["_atom_site.label_seq_id"] == cif["_atom_site.auth_seq_id"]
    assert set(cif["_atom_site.pdbx_PDB_model_num"]) == set(cif["_ma_model_list.ordinal_id"]) == {"1"}
    # Every key that points at another category finds its row.
    assert set(cif["_ma_qa_metric.software_group_id"]) == set(cif["_ma_software_group.group_id"])
    assert set(cif["_ma_software_group.software_id"]) == set(cif["_software.pdbx_ordinal"])
    assert set(cif["_ma_target_entity.data_id"] + cif["_ma_model_list.data_id"]) == set(cif["_ma_data.id"])
    assert cif["_ma_target_entity.entity_id"] == cif["_entity.id"]
    assert cif["_ma_target_entity_instance.asym_id"] == cif["_struct_asym.id"]


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
    shown = run("inspect", file, "--records", 1).stdout
    assert "nan" not in shown
    assert "nan" not in run("inspect", file, "--table", "all").stdout


def test_what_pdb_cannot_hold(tmp_path):
    results = Results()
    results.add("chains", ":".join(["G"] * 63))
    results.add("atoms", ":".join(["W" * 3600] * 2))
    results.add("residues", "X" * 9999 + "G")
    results.structures[results.add("far", "MK")]["positions"][0, 0, 0] = 10000
    results.add("fits", ":".join(["G"] * 62))
    file = results.write(tmp_path / "x.h5")
    done = export(file, "pdb", tmp_path / "pdb")
    assert done.returncode == 0
    assert "4 records left out" in done.stderr and "left out: 'chains': it has 63 chains" in done.stderr
    assert "--format cif" in done.stderr
    reasons = {row["id"]: row["reason"] for row in index_of(tmp_path / "pdb")}
    assert "63 chains" in reasons["chains"] and "100800 atoms" in reasons["atoms"]
    assert "10000 residues" in reasons["residues"] and "9999.999" in reasons["far"] and reasons["fits"] == ""
    assert sorted(p.name for p in (tmp_path / "pdb").iterdir()) == ["fits.pdb", "index.tsv"]
    fits = PDBParser(QUIET=True).get_structure("x", tmp_path / "pdb" / "fits.pdb")
    assert [chain.id for chain in fits[0]] == chain_names(62)
    done = export(file, "cif", tmp_path / "cif")
    assert done.returncode == 0, done.stderr
    chains = gemmi.read_structure(str(tmp_path / "cif" / "chains.cif"))[0]
    assert [chain.name for chain in chains] == [*chain_names(62), "AA"]
    atoms = gemmi.read_structure(str(tmp_path / "cif" / "atoms.cif"))[0]
    assert atoms.count_atom_sites() == 100800
    far = gemmi.read_structure(str(tmp_path / "cif" / "far.cif"))[0]["A"][0][0]
    assert far.pos.x == 10000


def test_untrained_weights_are_named(tmp_path):
    results = Results()
    results.add("p", "MKV")
    results.untrained = "The weights of this model are pseudo-random, not trained."
    file = results.write(tmp_path / "x.h5")
    for format in ("pdb", "cif"):
        done = export(file, format, "-", "--id", "p")
        assert done.returncode == 0, done.stderr
        assert "UNTRAINED: The weights of this model are pseudo-random" in done.stdout.replace("\n", " ")


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
    done = run("export", file, "--format", "fasta", "--output", f"{tmp_path}/{name}")
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
    assert run("export", file, "--format", "fasta", "--output", f"{tmp_path}/{name}").returncode == 73
    assert run("export", file, "--format", "fasta", "--output", f"{tmp_path}/{name}", "--overwrite").returncode == 0


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


def test_cif_says_where_each_residue_is_in_the_sequence(folders):
    cif = MMCIF2Dict(str(folders["cif"] / "trimer.cif"))
    columns = ("asym_id", "entity_id", "seq_id", "mon_id", "pdb_seq_num", "auth_seq_num", "pdb_strand_id")
    rows = list(zip(*(cif[f"_pdbx_poly_seq_scheme.{name}"] for name in columns)))
    assert rows[:3] == [("A", "1", "1", "MET", "1", "1", "A"), ("A", "1", "2", "LYS", "2", "2", "A"),
                        ("A", "1", "3", "UNK", "3", "?", "A")]
    assert [row[0] for row in rows] == ["A"] * 3 + ["B"] * 3 + ["C"] * 4
    assert rows[8] == ("C", "2", "3", "GLY", "3", "3", "C")


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


def damage(path, dataset, data=None):
    with h5py.File(path, "r+") as file:
        del file[dataset]
        if data is not None:
            file[dataset] = data


@pytest.mark.parametrize("dataset,data", [
    ("structures/positions", np.zeros((82, 14), np.float32)),
    ("structures/positions", np.zeros((81, 14, 3), np.float32)),
    ("structures/positions", "text"),
    ("structures/atom_mask", None),
    ("structures/plddt", np.zeros((82, 37), np.float16)),
    ("structures/ptm", np.zeros(2, np.float32)),
    ("structures/recycles", np.int32(3)),
    ("structures/chain", np.full(82, 7, np.uint16)),
    ("structures/residue_number", np.zeros(82, np.int32)),
])
def test_damaged_files(made, tmp_path, dataset, data):
    file = made.write(tmp_path / "x.h5")
    damage(file, dataset, data)
    done = export(file, "pdb", tmp_path / "out")
    assert done.returncode == 65, done.stderr
    assert "/structures" in done.stderr and done.stdout == ""


def test_inspect_shows_confidence(file, made):
    shown = json.loads(run("inspect", file, "--json", "--records", 2).stdout)
    for record, structure in zip(shown["first_records"], made.structures):
        assert record["mean_plddt"] == pytest.approx(structure["mean"], abs=1e-2)
        assert record["ptm"] == pytest.approx(structure["ptm"], abs=1e-4)
    text = run("inspect", file, "--records", 1).stdout
    assert f"pLDDT {made.structures[0]['mean']:.1f}" in text and f"pTM {made.structures[0]['ptm']:.2f}" in text
