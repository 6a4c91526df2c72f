"""Reads and writes safetensors files: a length, a JSON header, the bytes of the tensors end to end."""

import json
import struct

import numpy as np

TYPES = {"F32": np.float32, "F16": np.float16, "I64": np.int64, "U8": np.uint8}


def read(file):
    data = file.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        values = np.frombuffer(data[8 + length + begin : 8 + length + end], TYPES[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"])
    return tensors


def pack(header, data=b""):
    """A file with this header, sound or not."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entries(tensors):
    """The header and the bytes of these arrays."""
    names = {np.dtype(type_): name for name, type_ in TYPES.items()}
    header, data = {}, b""
    for name, values in tensors.items():
        values = np.ascontiguousarray(values)
        begin, data = len(data), data + values.tobytes()
        header[name] = {"dtype": names[values.dtype], "shape": list(values.shape), "data_offsets": [begin, len(data)]}
    return header, data


def write(file, tensors):
    file.write_bytes(pack(*entries(tensors)))
