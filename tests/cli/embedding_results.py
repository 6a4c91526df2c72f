"""A result file with embeddings, written by plain h5py after docs/results.md."""

import h5py
import numpy as np

LAYERS = (0, 6)


class Embeddings:
    """Records with made-up vectors of a width; write() puts them into a file."""

    def __init__(self, width=16, dtype=np.float32, seed=0):
        self.random = np.random.default_rng(seed)
        self.width = width
        self.dtype = dtype
        self.records = []  # (id, row, status, message)
        self.sequences = []  # chains
        self.vectors = []  # kind -> layer -> array, by row

    def sequence(self, text):
        self.sequences.append(text.split(":"))
        length = len(text.replace(":", ""))
        shapes = {"mean": (self.width,), "bos": (self.width,), "per_residue": (length, self.width)}
        self.vectors.append({kind: {layer: self.random.normal(size=shape).astype(self.dtype) for layer in LAYERS}
                             for kind, shape in shapes.items()})
        return len(self.sequences) - 1

    def record(self, name, row, status=0, message=""):
        self.records.append((name, row, status, message))

    def add(self, name, text):
        row = self.sequence(text)
        self.record(name, row)
        return row

    def write(self, path, kinds=("mean", "bos", "per_residue")):
        with h5py.File(path, "w") as file:
            file.attrs.update({"format": "pleat-results", "schema_version": np.int32(1), "complete": np.uint8(1),
                               "pleat_version": "9.8.7", "model_name": "esm2_test",
                               "created_utc": "2025-01-31T12:00:00Z"})
            names, rows, statuses, messages = zip(*self.records)
            text = h5py.string_dtype("utf-8")
            empty = [""] * len(names)
            for column, values in zip(("id", "description", "error_code", "message"), (names, empty, empty, messages)):
                file.create_dataset(f"records/{column}", data=list(values), dtype=text)
            file["records/sequence"] = np.array(rows, np.int64)
            file["records/status"] = np.array(statuses, np.uint8)
            joined = "".join("".join(chains) for chains in self.sequences).encode()
            file["sequences/residues"] = np.frombuffer(joined, np.uint8)
            lengths = [sum(map(len, chains)) for chains in self.sequences]
            file["sequences/offsets"] = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
            chain = [np.full(len(c), i) for chains in self.sequences for i, c in enumerate(chains)]
            file["sequences/chain"] = np.concatenate(chain).astype(np.uint16)
            for layer in LAYERS:
                for kind in kinds:
                    join = np.concatenate if kind == "per_residue" else np.stack
                    file[f"embeddings/layer_{layer:02}/{kind}"] = join([v[kind][layer] for v in self.vectors])
        return path
