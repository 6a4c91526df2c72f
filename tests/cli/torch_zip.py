"""Writes files as torch.save does, without PyTorch: a zip archive of a pickle and the numbers of each tensor."""

import io
import pickle
import struct
import zipfile

import numpy as np

TYPES = {np.dtype(np.float32): "FloatStorage", np.dtype(np.float16): "HalfStorage", np.dtype(np.int64): "LongStorage"}
ORDERED_DICT = b"ccollections\nOrderedDict\n)R"


def text(value):
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def numbers(values):
    return b"(" + b"".join(b"\x8a\x08" + struct.pack("<q", value) for value in values) + b"t"


def tensor(key, values):
    """The instructions that describe one array."""
    storage = (b"(" + text("storage") + f"ctorch\n{TYPES[values.dtype]}\n".encode() + text(str(key)) + text("cpu")
               + numbers([values.size])[1:-1] + b"tQ")
    strides = [stride // values.itemsize for stride in values.strides]
    return (b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + numbers([0])[1:-1] + numbers(values.shape)
            + numbers(strides) + b"\x89" + ORDERED_DICT + b"tR")


def pack(instructions, storages=()):
    """A file with this pickle, sound or not."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("pytorch_model/data.pkl", instructions)
        archive.writestr("pytorch_model/byteorder", "little")
        for key, data in enumerate(storages):
            archive.writestr(f"pytorch_model/data/{key}", data)
        archive.writestr("pytorch_model/version", "3\n")
    return file.getvalue()


def dumps(tensors):
    arrays = [np.ascontiguousarray(values) for values in tensors.values()]
    items = b"".join(text(name) + tensor(key, values) for key, (name, values) in enumerate(zip(tensors, arrays)))
    return pack(b"\x80\x02" + ORDERED_DICT + b"(" + items + b"u.", [values.tobytes() for values in arrays])


def calling(function, *arguments):
    """A file whose pickle calls a function, as an attacker writes it."""
    class Call:
        def __reduce__(self):
            return function, arguments

    return pack(pickle.dumps({"esm.embeddings.word_embeddings.weight": Call()}, protocol=2))
