"""A folder with inputs and a manifest in it, and `pleat run` on them."""

import json
import subprocess
from pathlib import Path

import h5py
import numpy as np
from program import PLEAT, pleat

REPOSITORY = Path(__file__).resolve().parents[2]
MODEL = REPOSITORY / "tests/data/esm2/head16"
CONFIG = json.loads((MODEL / "config.json").read_text())
LETTERS = "ACDEFGHIKLMNPQRSTVWY"


def proteins(count, shortest=5, longest=120, seed=0):
    """Made-up sequences, no two alike."""
    random = np.random.default_rng(seed)
    return ["".join(random.choice(list(LETTERS), length)) for length in random.integers(shortest, longest + 1, count)]


def fasta(sequences, names=None):
    names = names or [f"p{i}" for i in range(len(sequences))]
    return "".join(f">{name}\n{sequence}\n" for name, sequence in zip(names, sequences))


class Job:
    def __init__(self, folder, model=MODEL):
        self.folder = Path(folder)
        self.output = self.folder / "out.h5"
        self.keys = {"version": 1, "model": str(model), "inputs": [], "output": "out.h5"}
        self.placed = {"manifest.yaml"}

    def place(self, name, content):
        """A file in the job's folder that a run must leave as it is."""
        data = content.encode() if isinstance(content, str) else content
        (self.folder / name).write_bytes(data)
        self.placed.add(name)
        return self.folder / name

    def input(self, name, content):
        if name not in self.keys["inputs"]:
            self.keys["inputs"].append(name)
        return self.place(name, content)

    def manifest(self):
        file = self.folder / "manifest.yaml"
        file.write_text(json.dumps(self.keys))  # JSON is YAML
        return file

    def start(self, *arguments, **options):
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen([PLEAT, "run", str(self.manifest()), *map(str, arguments)], **streams | options)

    def run(self, *arguments, timeout=3600, **options):
        process = self.start(*arguments, **options)
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        finally:
            process.kill()
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    @staticmethod
    def pleat(*arguments):
        """Any other subcommand."""
        return pleat(*arguments, timeout=3600)

    def plan(self, *arguments):
        """What `pleat plan --json` says."""
        done = self.pleat("plan", self.manifest(), "--json", *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def compute(self, *arguments, **options):
        """A run that must succeed; returns the open result file."""
        done = self.run(*arguments, **options)
        assert done.returncode == 0, done.stderr
        return self.open()

    def open(self):
        return h5py.File(self.output, "r")

    def left(self):
        """What a run has added to the folder."""
        return sorted(set(path.name for path in self.folder.iterdir()) - self.placed)

    def refused(self, status, *texts, arguments=(), keeps=False, **options):
        """A run that must end with this status and a short message that holds these texts, and leave nothing; with
        `keeps` it may leave what a later run goes on with."""
        before = self.output.read_bytes() if self.output.is_file() else None
        done = self.run(*arguments, **options)
        assert done.returncode == status, done.stderr
        assert done.stdout == ""
        for text in texts:
            assert str(text) in done.stderr
        errors = [line for line in done.stderr.splitlines() if " error: " in line]
        assert 1 <= len(errors) <= 2, done.stderr  # what failed, and a hint
        left = [name for name in self.left() if not (keeps and name == "out.h5.work")]
        assert left == ([] if before is None else ["out.h5"])
        assert before is None or self.output.read_bytes() == before
        return done


def texts(dataset):
    return list(dataset.asstr()[:])


def records(file):
    """id -> (status, error code, message) of every record."""
    group = file["records"]
    words = {number: word for word, number in h5py.check_enum_dtype(group["status"].dtype).items()}
    statuses = [words[number] for number in group["status"][:]]
    return dict(zip(texts(group["id"]), zip(statuses, texts(group["error_code"]), texts(group["message"]))))


def numbers(file):
    """Every dataset of numbers that was computed, by path."""
    found = {}

    def visit(path, item):
        if isinstance(item, h5py.Dataset) and path.split("/")[0] in ("embeddings", "logits", "contacts"):
            found[path] = item[:]

    file.visititems(visit)
    return found


def assert_same_numbers(found, expected):
    """Bit for bit, NaN included."""
    assert found.keys() == expected.keys()
    for path, values in expected.items():
        assert found[path].tobytes() == values.tobytes(), path


# What tells of a computation and not of its results.
HISTORY = {"records/seconds", "records/attempts", "records/device", "inputs/path"}


def contents(file):
    """Everything in a file but its history: raw chunks where there are some, values elsewhere, and attributes."""
    found = {f"/{key}": str(value) for key, value in file.attrs.items() if key not in ("created_utc", "devices")}

    def visit(path, item):
        if path in HISTORY:
            return
        for key, value in item.attrs.items():
            found[f"{path}@{key}"] = str(value)
        if not isinstance(item, h5py.Dataset):
            return
        found[path] = (item.shape, str(item.dtype))
        if h5py.check_string_dtype(item.dtype) and h5py.check_string_dtype(item.dtype).length is None:
            found[path] += tuple(item[:])
        elif item.chunks:
            chunks = [item.id.get_chunk_info(i).chunk_offset for i in range(item.id.get_num_chunks())]
            found[path] += tuple(item.id.read_direct_chunk(chunk) for chunk in chunks)

    file.visititems(visit)
    return found


def structures(file):
    """id -> every array of the record's structure, by name; without PAE where the file has none."""
    group = file["structures"]
    offsets = file["sequences/offsets"][:]
    found = {}
    for name, row in zip(texts(file["records/id"]), file["records/sequence"][:]):
        if row < 0:
            continue
        begin, end = offsets[row], offsets[row + 1]
        arrays = {key: group[key][begin:end] for key in ("positions", "atom_mask", "plddt", "chain", "residue_number")}
        arrays |= {key: group[key][row] for key in ("mean_plddt", "ptm", "recycles")}
        if "pae" in group:
            first, last = group["pae_offsets"][row : row + 2]
            arrays["pae"] = group["pae"][first:last].reshape(end - begin, end - begin)
        found[name] = arrays
    return found


def rows_by_sequence(file):
    """residues -> every array computed for it, by path."""
    offsets = file["sequences/offsets"][:]
    residues = file["sequences/residues"][:].tobytes().decode()
    pair_offsets = file["contacts/offsets"][:] if "contacts" in file else None
    computed = numbers(file)
    result = {}
    for row in range(len(offsets) - 1):
        begin, end = offsets[row], offsets[row + 1]
        arrays = {}
        for path, values in computed.items():
            if path == "contacts/offsets":
                continue
            if path == "contacts/values":
                arrays[path] = values[pair_offsets[row] : pair_offsets[row + 1]]
            elif path.endswith(("mean", "bos")):
                arrays[path] = values[row]
            else:
                arrays[path] = values[begin:end]
        result[residues[begin:end]] = arrays
    return result
