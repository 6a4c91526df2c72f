"""What is in the files of `pleat export --format pdb|cif`, as gemmi and Biopython read it."""

import json
import warnings

import gemmi
import h5py
import numpy as np
import pytest
from Bio.PDB import MMCIFParser, PDBParser
from Bio.PDB.MMCIF2Dict import MMCIF2Dict
from exported import chain_names, file, folders, index_of, made  # noqa: F401
from program import export, pleat
from structure_results import LETTERS, NAMES, Results, atoms_of

THREE_LETTERS = dict(zip(LETTERS, NAMES))

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


def test_cif_says_where_each_residue_is_in_the_sequence(folders):
    cif = MMCIF2Dict(str(folders["cif"] / "trimer.cif"))
    columns = ("asym_id", "entity_id", "seq_id", "mon_id", "pdb_seq_num", "auth_seq_num", "pdb_strand_id")
    rows = list(zip(*(cif[f"_pdbx_poly_seq_scheme.{name}"] for name in columns)))
    assert rows[:3] == [("A", "1", "1", "MET", "1", "1", "A"), ("A", "1", "2", "LYS", "2", "2", "A"),
                        ("A", "1", "3", "UNK", "3", "?", "A")]
    assert [row[0] for row in rows] == ["A"] * 3 + ["B"] * 3 + ["C"] * 4
    assert rows[8] == ("C", "2", "3", "GLY", "3", "3", "C")


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
    shown = json.loads(pleat("inspect", file, "--json", "--records", 2).stdout)
    for record, structure in zip(shown["first_records"], made.structures):
        assert record["mean_plddt"] == pytest.approx(structure["mean"], abs=1e-2)
        assert record["ptm"] == pytest.approx(structure["ptm"], abs=1e-4)
    text = pleat("inspect", file, "--records", 1).stdout
    assert f"pLDDT {made.structures[0]['mean']:.1f}" in text and f"pTM {made.structures[0]['ptm']:.2f}" in text
