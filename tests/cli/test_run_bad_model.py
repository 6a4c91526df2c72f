"""Models that are missing, damaged or hostile: exit 65 or 66, all that is wrong named, nothing written."""

import json
import os
import pickle
import struct

import numpy as np
import pytest
import safetensors
import tiny_model
import torch_zip
from job import Job, records

QUERY = "esm.encoder.layer.1.attention.self.query.weight"
BIAS = "lm_head.dense.bias"


@pytest.fixture
def job(tmp_path):
    (tmp_path / "job").mkdir()
    job = Job(tmp_path / "job", tiny_model.make(tmp_path / "model"))
    job.weights = tmp_path / "model/model.safetensors"
    job.config = tmp_path / "model/config.json"
    job.input("in.fasta", ">a\nACDEF\n")
    return job


def test_the_model_is_sound_before_it_is_spoilt(job):
    with job.compute() as file:
        assert records(file)["a"] == ("ok", "", "")


# Which model

def test_unknown_name(job):
    job.keys["model"] = "esm2_t6_8M_UR50"
    job.refused(66, "'esm2_t6_8M_UR50'", "did you mean 'esm2_t6_8M_UR50D'?")
    job.keys["model"] = "nothing_like_it_at_all"
    job.refused(66, "pleat model list")


def test_weights_not_on_this_machine(job, tmp_path):
    job.keys["model"] = "esm2_t6_8M_UR50D"
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "PLEAT_MODELS": str(tmp_path / "nowhere")}
    job.refused(66, "not on this machine", "pleat model fetch esm2_t6_8M_UR50D", env=environment)


def test_missing_files(job):
    job.weights.rename(job.weights.with_suffix(".hidden"))
    job.refused(66, job.weights.parent, "model.safetensors")
    job.config.unlink()
    job.refused(66, job.config.parent, "config.json")
    job.keys["model"] = "nowhere/model"
    job.refused(66, "nowhere/model")


# config.json

CONFIGS = {  # keys to change, or the whole text -> words of the message
    "empty": ("",),
    "not JSON": ("{", "config.json"),
    "a list": ("[]", "config.json"),
    "deep": ("[" * 1_000_000, "config.json"),
    "another kind of model": ({"model_type": "bert"}, "model_type", "bert"),
    "no width": ({"hidden_size": None}, "hidden_size"),
    "a width of another type": ({"hidden_size": "16"}, "hidden_size"),
    "a width that heads do not divide": ({"hidden_size": 17}, "hidden_size", "num_attention_heads"),
    "an absurd depth": ({"num_hidden_layers": 10**18}, "num_hidden_layers"),
    "another width than the weights": ({"hidden_size": 32}, "layer.0.attention.self.query.weight", "[16, 16]", "[32, 32]"),
    "another depth than the weights": ({"num_hidden_layers": 3}, "missing", "esm.encoder.layer.2."),
    "fewer layers than the weights": ({"num_hidden_layers": 1}, "unexpected", QUERY),
    "another vocabulary": ({"vocab_size": 30}, "vocab_size"),
    "absolute positions": ({"position_embedding_type": "absolute"}, "position_embedding_type"),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_bad_config(job, case):
    change, *words = CONFIGS[case]
    if isinstance(change, str):
        job.config.write_text(change)
    else:
        config = json.loads(job.config.read_text()) | change
        job.config.write_text(json.dumps({key: value for key, value in config.items() if value is not None}))
    job.refused(66, *words)


def test_vocabulary_that_does_not_fit(job):
    (job.config.parent / "vocab.txt").write_text("\n".join(["<cls>", "<pad>", "<eos>", "A"]))
    job.refused(66, "vocab")


# Tensors

def changed_tensors(job, change):
    tensors = safetensors.read(job.weights)
    tensors = {name: values.copy() for name, values in tensors.items()}
    change(tensors)
    safetensors.write(job.weights, tensors)


def spoil(name, value):
    def change(tensors):
        tensors[name].flat[3] = value

    return change


TENSORS = {
    "missing": (lambda tensors: tensors.pop(QUERY), "1 missing", QUERY, "[16, 16]"),
    "unexpected": (lambda tensors: tensors.update(extra=np.zeros(3, np.float32)), "1 unexpected", "extra"),
    "another shape": (lambda tensors: tensors.update({QUERY: np.zeros((16, 15), np.float32)}), QUERY, "[16, 15]",
                      "[16, 16]"),
    "the shape turned": (lambda tensors: tensors.update(
        {"esm.encoder.layer.0.output.dense.weight": np.zeros((32, 16), np.float32)}), "[32, 16]", "[16, 32]"),
    "another type": (lambda tensors: tensors.update({BIAS: np.zeros(16, np.int64)}), BIAS, "int64"),
    "NaN": (spoil(QUERY, np.nan), QUERY, "NaN"),
    "infinity": (spoil(BIAS, -np.inf), BIAS, "infinity"),
    "NaN in the embeddings": (spoil("esm.embeddings.word_embeddings.weight", np.nan), "word_embeddings", "NaN"),
    "all gone": (lambda tensors: tensors.clear(), "missing"),
}


@pytest.mark.parametrize("case", TENSORS)
def test_bad_tensors(job, case):
    change, *words = TENSORS[case]
    changed_tensors(job, change)
    job.refused(66, *words)


def test_everything_wrong_is_told_at_once(job):
    def change(tensors):
        del tensors[QUERY]
        tensors["extra"] = np.zeros(3, np.float32)
        tensors[BIAS] = np.zeros(15, np.float32)

    changed_tensors(job, change)
    job.refused(66, QUERY, "extra", BIAS)


def test_heads_that_are_not_there(job):
    changed_tensors(job, lambda tensors: [tensors.pop(name) for name in list(tensors) if "contact_head" in name])
    job.keys["tasks"] = {"contacts": True}
    job.refused(78, "tasks.contacts", "contact_head")
    changed_tensors(job, lambda tensors: [tensors.pop(name) for name in list(tensors) if "lm_head" in name])
    job.keys["tasks"] = {"logits": True}
    job.refused(78, "tasks.logits", "lm_head")
    job.keys["tasks"] = {"embeddings": True}
    with job.compute() as file:
        assert records(file)["a"] == ("ok", "", "")


def test_numbers_too_large_for_float16_fail_their_sequence_alone(job):
    """The letter W gets an embedding that float16 cannot hold."""
    def change(tensors):
        tensors["esm.embeddings.word_embeddings.weight"][22] *= 1e5  # the row of W

    changed_tensors(job, change)
    job.input("in.fasta", ">a\nACDEF\n>w\nACWEF\n>b\nGHI\n")
    job.keys["tasks"] = {"embeddings": {"layers": [0], "bos": True}}
    done = job.run()
    assert done.returncode == 65 and "2 ok, 0 rejected, 1 failed" in done.stdout
    with job.open() as file:
        told = records(file)
        assert told["a"] == told["b"] == ("ok", "", "")
        assert told["w"][:2] == ("failed", "float16_overflow")
        assert "layer 0" in told["w"][2] and "tasks.embeddings.dtype to float32" in told["w"][2]
        values = file["embeddings/layer_00/per_residue"][:]
        assert np.isfinite(values[[0, 4, 10, 12]]).all() and np.isnan(values[5:10]).all()
        assert np.isnan(file["embeddings/layer_00/mean"][1]).all()
    assert job.run("--overwrite", "--set", "tasks.embeddings.dtype=float32").returncode == 0


# The bytes of the file

def header_and_data(job):
    return safetensors.entries(safetensors.read(job.weights))


def with_offsets(offsets):
    def change(header):
        header[BIAS]["data_offsets"] = offsets

    return change


HEADERS = {  # what happens to the header of a sound file
    "an entry that overlaps another": with_offsets([0, 64]),
    "an entry behind the end": with_offsets([10**7, 10**7 + 64]),
    "an entry that ends before it begins": with_offsets([64, 0]),
    "a negative offset": with_offsets([-64, 0]),
    "an offset that overflows": with_offsets([2**64 - 64, 2**64]),
    "three offsets": with_offsets([0, 1, 2]),
    "a shape of another size": lambda header: header[BIAS].update(shape=[17]),
    "a shape that overflows": lambda header: header[BIAS].update(shape=[2**32, 2**32, 2**32]),
    "a negative shape": lambda header: header[BIAS].update(shape=[-16]),
    "no shape": lambda header: header[BIAS].pop("shape"),
    "an unknown type": lambda header: header[BIAS].update(dtype="F7"),
    "an entry that is a number": lambda header: header.update({BIAS: 7}),
    "a name of many letters": lambda header: header.update({"x" * 100_000: header[BIAS]}),
}


@pytest.mark.parametrize("case", HEADERS)
def test_hostile_header(job, case):
    header, data = header_and_data(job)
    HEADERS[case](header)
    job.weights.write_bytes(safetensors.pack(header, data))
    done = job.refused(66, "model.safetensors" if case != "a name of many letters" else "")
    assert len(done.stderr) < 4_000


FILES = {  # from the bytes of a sound file
    "empty": lambda data: b"",
    "shorter than a length": lambda data: data[:5],
    "a header cut off": lambda data: data[:200],
    "data cut off": lambda data: data[:-1],
    "half of it": lambda data: data[: len(data) // 2],
    "bytes too many": lambda data: data + b"x",
    "a huge length": lambda data: struct.pack("<Q", 2**64 - 1) + data[8:],
    "a length just too large": lambda data: struct.pack("<Q", len(data) - 7) + data[8:],
    "a length of nothing": lambda data: struct.pack("<Q", 0) + data[8:],
    "a header that is no JSON": lambda data: safetensors.pack(b"[" * 100),
    "deep JSON": lambda data: safetensors.pack(b'{"a":' * 500_000),
    "deep lists": lambda data: safetensors.pack(b"[" * 1_000_000),
    "a header that is not UTF-8": lambda data: safetensors.pack(b'{"\xff": 1}'),
    "a header that is a list": lambda data: safetensors.pack(b"[]"),
    "a page of HTML": lambda data: b"<!DOCTYPE html><html>" * 50,
    "a Git LFS pointer": lambda data: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "zeros": lambda data: bytes(len(data)),
}


@pytest.mark.parametrize("case", FILES)
def test_hostile_file(job, case):
    job.weights.write_bytes(FILES[case](job.weights.read_bytes()))
    job.refused(66, "model.safetensors")


# pytorch_model.bin

def as_torch_zip(job, data=None):
    """The job's model as pytorch_model.bin: its own tensors, or these bytes."""
    file = job.weights.with_name("pytorch_model.bin")
    file.write_bytes(data or torch_zip.dumps(safetensors.read(job.weights)))
    job.weights.unlink()
    return file


def test_the_format_of_the_weights_makes_no_difference(job):
    job.keys["tasks"] = {"embeddings": True, "logits": True, "contacts": True}
    with job.compute() as file:
        expected = {name: file[name][:] for name in ("embeddings/layer_02/per_residue", "logits", "contacts/values")}
        hash_before = file.attrs["model_sha256"]
    as_torch_zip(job)
    assert job.run("--overwrite").returncode == 0
    with job.open() as file:
        for name, values in expected.items():
            assert np.array_equal(file[name][:], values)
        assert file.attrs["model_sha256"] != hash_before


PICKLES = {  # files that are no dictionary of tensors -> words of the message
    "a call of os.system": (lambda owned: torch_zip.calling(os.system, f"touch {owned}"), "'posix.system'"),
    "a call of eval": (lambda owned: torch_zip.calling(eval, f"open({str(owned)!r}, 'w')"), ".eval'"),
    "a call of exec": (lambda owned: torch_zip.calling(exec, f"open({str(owned)!r}, 'w')"), ".exec'"),
    "a list": (lambda owned: torch_zip.pack(pickle.dumps([1, 2], protocol=2)), "EMPTY_LIST"),
    "a number": (lambda owned: torch_zip.pack(pickle.dumps(3, protocol=2)), "not a dictionary of tensors"),
    "numbers by name": (lambda owned: torch_zip.pack(pickle.dumps({"a": 3}, protocol=2)), "'a' is a number"),
    "a plain pickle": (lambda owned: pickle.dumps({}, protocol=2), "before PyTorch 1.6"),
    "no pickle": (lambda owned: torch_zip.pack(b"hello"), "no pickle"),
    "a transposed tensor": (lambda owned: torch_zip.pack(
        b"\x80\x02}" + torch_zip.text("a") + torch_zip.tensor(0, np.zeros((2, 3), np.float32).T) + b"s.", [bytes(24)]),
        "not stored row by row"),
    "a missing storage": (lambda owned: torch_zip.pack(
        b"\x80\x02}" + torch_zip.text("a") + torch_zip.tensor(7, np.zeros(3, np.float32)) + b"s."), "storage 7"),
    "a page of HTML": (lambda owned: b"<!DOCTYPE html>", "no file of torch.save"),
}


@pytest.mark.parametrize("case", PICKLES)
def test_hostile_pickle(job, tmp_path, case):
    make, word = PICKLES[case]
    owned = tmp_path / "owned"
    as_torch_zip(job, make(owned))
    job.refused(66, "pytorch_model.bin", word, "save_pretrained")
    assert not owned.exists()


@pytest.mark.parametrize("at", [0.0, 0.5, 0.99])
def test_torch_zip_cut_short(job, at):
    file = as_torch_zip(job)
    data = file.read_bytes()
    file.write_bytes(data[:int(len(data) * at)])
    job.refused(66, "pytorch_model.bin")


@pytest.mark.parametrize("seed", range(3))
def test_random_damage_to_the_header_never_crashes(job, seed):
    random = np.random.default_rng(seed)
    data = bytearray(job.weights.read_bytes())
    (length,) = struct.unpack("<Q", data[:8])
    for at in random.integers(0, 8 + length, 20):
        data[at] = random.integers(0, 256)
    job.weights.write_bytes(data)
    job.refused(66)
