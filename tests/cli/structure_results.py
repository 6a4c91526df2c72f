"""A result file with structures, written by plain h5py after docs/results.md: what any program may write and read."""

import h5py
import numpy as np

LETTERS = "ARNDCQEGHILKMFPSTWYVX"
NAMES = ["ALA", "ARG", "ASN", "ASP", "CYS", "GLN", "GLU", "GLY", "HIS", "ILE", "LEU", "LYS", "MET", "PHE", "PRO", "SER",
         "THR", "TRP", "TYR", "VAL", "UNK"]
BACKBONE = ["N", "CA", "C", "O"]
SIDE_CHAINS = {
    "A": "CB", "R": "CB CG CD NE CZ NH1 NH2", "N": "CB CG OD1 ND2", "D": "CB CG OD1 OD2", "C": "CB SG",
    "Q": "CB CG CD OE1 NE2", "E": "CB CG CD OE1 OE2", "G": "", "H": "CB CG ND1 CD2 CE1 NE2", "I": "CB CG1 CG2 CD1",
    "L": "CB CG CD1 CD2", "K": "CB CG CD CE NZ", "M": "CB CG SD CE", "F": "CB CG CD1 CD2 CE1 CE2 CZ", "P": "CB CG CD",
    "S": "CB OG", "T": "CB OG1 CG2", "W": "CB CG CD1 CD2 NE1 CE2 CE3 CZ2 CZ3 CH2", "Y": "CB CG CD1 CD2 CE1 CE2 CZ OH",
    "V": "CB CG1 CG2"}


def atoms_of(letter):
    """The names of a residue's atoms in the order of their slots."""
    return [] if letter == "X" else BACKBONE + SIDE_CHAINS[letter].split()


class Results:
    """Records and structures, kept as they were made; write() puts them into a file."""

    def __init__(self, seed=0):
        self.random = np.random.default_rng(seed)
        self.records = []  # (id, description, row, status, code, message)
        self.sequences = []  # chains
        self.structures = []  # dict, or None where never computed
        self.untrained = None

    def sequence(self, text, computed=True, scale=20.0):
        """Adds chains written A:B, with made-up atoms; returns the row."""
        chains = text.split(":")
        residues = "".join(chains)
        length = len(residues)
        mask = np.zeros((length, 14), np.uint8)
        for i, letter in enumerate(residues):
            mask[i, : len(atoms_of(letter))] = 1
        positions = self.random.normal(scale=scale, size=(length, 14, 3)).astype(np.float32) * mask[:, :, None]
        plddt = self.random.uniform(0, 100, (length, 14)).astype(np.float16) * mask
        mean = float(plddt[mask == 1].astype(np.float64).mean()) if mask.any() else np.nan
        self.sequences.append(chains)
        self.structures.append({"positions": positions, "mask": mask, "plddt": plddt, "mean": mean,
                                "ptm": float(self.random.uniform(0, 1)), "recycles": 3} if computed else None)
        return len(self.sequences) - 1

    def record(self, name, row, description="", status=0, code="", message=""):
        self.records.append((name, description, row, status, code, message))

    def add(self, name, text, description="", **options):
        row = self.sequence(text, **options)
        self.record(name, row, description)
        return row

    def residues(self, row):
        return "".join(self.sequences[row])

    def write(self, path):
        lengths = [len(self.residues(row)) for row in range(len(self.sequences))]
        with h5py.File(path, "w") as file:
            file.attrs["format"] = "pleat-results"
            file.attrs["schema_version"] = np.int32(1)
            file.attrs["complete"] = np.uint8(1)
            file.attrs["pleat_version"] = "9.8.7"
            file.attrs["model_name"] = "esmfold_v1"
            file.attrs["created_utc"] = "2025-01-31T12:00:00Z"
            if self.untrained:
                file.attrs["untrained_weights"] = self.untrained
            columns = list(zip(*self.records))
            text = h5py.string_dtype("utf-8")
            for name, values in zip(("id", "description", "error_code", "message"), (columns[0], columns[1], *columns[4:])):
                file.create_dataset(f"records/{name}", data=list(values), dtype=text)
            file["records/sequence"] = np.array(columns[2], np.int64)
            file["records/status"] = np.array(columns[3], np.uint8)
            joined = "".join(map(self.residues, range(len(self.sequences)))).encode()
            file["sequences/residues"] = np.frombuffer(joined, np.uint8)
            file["sequences/offsets"] = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
            sizes = [[len(chain) for chain in chains] for chains in self.sequences]
            chain = np.concatenate([np.repeat(np.arange(len(s)), s) for s in sizes]).astype(np.uint16)
            file["sequences/chain"] = file["structures/chain"] = chain
            number = np.concatenate([np.arange(1, n + 1) for s in sizes for n in s]).astype(np.int32)
            file["structures/residue_number"] = number
            self._write_structures(file["structures"], lengths)
        return path

    def _write_structures(self, group, lengths):
        absent = {"mean": np.nan, "ptm": np.nan, "recycles": -1}
        made = [structure or absent for structure in self.structures]

        def per_residue(name, fill, shape, dtype):
            blocks = [s.get(name, np.full((n, *shape), fill)) for s, n in zip(made, lengths)]
            return np.concatenate(blocks).astype(dtype)

        group["positions"] = per_residue("positions", np.nan, (14, 3), np.float32)
        group["atom_mask"] = per_residue("mask", 0, (14,), np.uint8)
        group["plddt"] = per_residue("plddt", np.nan, (14,), np.float16)
        group["mean_plddt"] = np.array([s["mean"] for s in made], np.float32)
        group["ptm"] = np.array([s["ptm"] for s in made], np.float32)
        group["recycles"] = np.array([s["recycles"] for s in made], np.int32)
