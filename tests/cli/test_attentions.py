"""`tasks.attentions`: the maps of chosen layers in the result file, and what is refused for lack of room."""

import json

import numpy as np
import pytest
import safetensors
from job import CONFIG, REPOSITORY, Job, assert_same_numbers, contents, fasta, proteins, records, texts

HEADS, DEPTH = CONFIG["num_attention_heads"], CONFIG["num_hidden_layers"]
GOLDEN = REPOSITORY / "tests/data/attentions"


@pytest.fixture
def maps_job(job):
    job.keys["tasks"] = {"embeddings": {"layers": [-1], "dtype": "float32"}, "attentions": {"layers": [1, -1]}}
    return job


def maps(file):
    """id -> layer -> [H, L, L]."""
    group, offsets = file["attentions"], file["attentions/offsets"][:]
    lengths = np.diff(file["sequences/offsets"][:])
    np.testing.assert_array_equal(np.diff(offsets), lengths**2)
    found = {}
    for name, row in zip(texts(file["records/id"]), file["records/sequence"][:]):
        if row < 0:
            continue
        cut = slice(offsets[row], offsets[row + 1])
        shape = (lengths[row], lengths[row], HEADS)
        found[name] = {key: group[key][cut].reshape(shape).transpose(2, 0, 1) for key in group if key != "offsets"}
    return found


@pytest.mark.parametrize("name", ["head16", "head32_hub"])
def test_they_are_those_of_transformers(tmp_path, name):
    folder = REPOSITORY / "tests/data/esm2" / name
    (tmp_path / "job").mkdir()
    job = Job(tmp_path / "job", folder)
    config = json.loads((folder / "config.json").read_text())
    depth, heads = config["num_hidden_layers"], config["num_attention_heads"]
    begin_only = {"dtype": "float32", "per_residue": False, "mean": False, "bos": True}
    job.keys["tasks"] = {"embeddings": begin_only, "attentions": {"layers": list(range(1, depth + 1))}}
    sequences = [entry["residues"] for entry in json.loads((folder / "golden.json").read_text())["sequences"]]
    job.input("in.fasta", fasta(sequences))
    golden = safetensors.read(GOLDEN / name / "model.safetensors")
    with job.compute() as file:
        offsets, rows = file["attentions/offsets"][:], file["records/sequence"][:]
        for number, sequence in enumerate(sequences):
            kept = golden[f"{number}.residues"]
            cut = slice(offsets[rows[number]], offsets[rows[number] + 1])
            for layer in range(1, depth + 1):
                found = file[f"attentions/layer_{layer:02d}"][cut].reshape(len(sequence), len(sequence), heads)
                expected = golden[f"{number}.attention.{layer:02d}"].transpose(1, 2, 0)
                assert np.abs(found[kept][:, kept] - expected).max() <= 2e-5 * expected.max()


def test_layers_types_and_names(maps_job):
    sequences = proteins(5)
    maps_job.input("in.fasta", fasta(sequences))
    with maps_job.compute() as file:
        assert sorted(file["attentions"]) == ["layer_01", f"layer_{DEPTH:02d}", "offsets"]
        exact = maps(file)
        assert file["attentions/layer_01"].dtype == np.float32
    for name, layers in exact.items():
        for values in layers.values():
            assert values.min() >= 0 and 0 < values.sum(axis=2).max() <= 1.00001
    maps_job.keys["tasks"] = {"attentions": {"layers": [-1]}}
    with maps_job.compute("--overwrite") as file:
        assert "embeddings" not in file and sorted(file["attentions"]) == [f"layer_{DEPTH:02d}", "offsets"]
        for name, layers in maps(file).items():
            values = layers[f"layer_{DEPTH:02d}"]
            assert values.dtype == np.float16
            np.testing.assert_array_equal(values, exact[name][f"layer_{DEPTH:02d}"].astype(np.float16))


def test_bits_depend_on_nothing_else(maps_job):
    sequences = proteins(9, 1, 150) + ["MDDGCF:PIFPNRE:A"]
    names = [f"p{i}" for i in range(len(sequences))]
    maps_job.input("in.fasta", fasta(sequences, names))
    with maps_job.compute() as file:
        together = maps(file)
    variants = [["--set", "run.max_tokens_per_batch=8"], ["--devices", "cpu*2"],
                ["--set", "tasks.contacts=true", "--set", "tasks.logits=true"]]
    for arguments in variants:
        with maps_job.compute("--overwrite", *arguments) as file:
            for name, layers in maps(file).items():
                for key, values in layers.items():
                    assert values.tobytes() == together[name][key].tobytes(), (arguments, name, key)
    # The rest is as without maps.
    maps_job.keys["tasks"].pop("attentions")
    with maps_job.compute("--overwrite") as file:
        plain = {path: value for path, value in contents(file).items() if path.startswith("embeddings")}
    maps_job.keys["tasks"]["attentions"] = True
    with maps_job.compute("--overwrite") as file:
        found = contents(file)
        assert plain and all(found[path] == value for path, value in plain.items())


def test_linkers_of_complexes_are_left_out(maps_job):
    maps_job.input("in.fasta", ">c\nMDDGCF:PIFPN\n>alone\nMDDGCFPIFPN\n")
    with maps_job.compute() as file:
        found = maps(file)
    complex_maps, alone = found["c"]["layer_01"], found["alone"]["layer_01"]
    assert complex_maps.shape == alone.shape == (HEADS, 11, 11)
    # What goes to the linker is not there.
    assert complex_maps.sum() < alone.sum()


def test_failed_and_refused_sequences_have_none(maps_job):
    maps_job.input("in.fasta", fasta(proteins(3)) + ">bad\nAC-D\n")
    assert maps_job.run().returncode == 65
    with maps_job.open() as file:
        assert set(maps(file)) == {"p0", "p1", "p2"}
    assert maps_job.pleat("verify", maps_job.output, "--manifest", maps_job.manifest()).returncode == 0


def test_shards_are_merged_to_the_same_file(maps_job):
    maps_job.input("in.fasta", fasta(proteins(12)))
    with maps_job.compute() as file:
        whole = contents(file)
    parts = []
    for index in (1, 2, 3):
        assert maps_job.run("--shard", f"{index}/3").returncode == 0
        parts.append(maps_job.folder / f"out.shard-{index}-of-3.h5")
    maps_job.output = maps_job.folder / "merged.h5"
    assert maps_job.pleat("merge", *parts, "--output", maps_job.output).returncode == 0
    with maps_job.open() as file:
        assert contents(file) == whole


def test_a_cache_keeps_them_apart_by_layer(maps_job, tmp_path):
    maps_job.input("in.fasta", fasta(proteins(4)))
    with maps_job.compute("--cache", tmp_path / "cache") as file:
        first = {path: file[path][:] for path in ("attentions/layer_01", f"attentions/layer_{DEPTH:02d}")}
    done = maps_job.run("--overwrite", "--cache", tmp_path / "cache")
    assert "4 of 4 sequences were in the cache" in done.stderr
    with maps_job.open() as file:
        assert_same_numbers({path: file[path][:] for path in first}, first)
    maps_job.keys["tasks"]["attentions"]["layers"] = [1]
    done = maps_job.run("--overwrite", "--cache", tmp_path / "cache")
    assert "0 of 4 sequences were in the cache" in done.stderr


@pytest.mark.parametrize("layers", [0, DEPTH + 1, [1, -DEPTH - 1]])
def test_layers_that_are_not_there(maps_job, layers):
    maps_job.input("in.fasta", ">a\nACD\n")
    maps_job.keys["tasks"]["attentions"]["layers"] = layers
    maps_job.refused(78, "tasks.attentions.layers: the model has no attention in a layer", f"from 1 to {DEPTH}")


# What has no room

def test_plan_says_how_large_they_are(maps_job):
    sequences = proteins(4)
    maps_job.input("in.fasta", fasta(sequences))
    expected = sum(2 * 4 * HEADS * len(sequence) ** 2 for sequence in sequences)
    assert maps_job.plan()["attention_bytes"] == expected < maps_job.plan()["result_bytes"]
    assert "of it attention maps" in maps_job.pleat("plan", maps_job.manifest()).stdout
    maps_job.keys["tasks"].pop("attentions")
    assert maps_job.plan()["attention_bytes"] == 0
    assert "attention" not in maps_job.pleat("plan", maps_job.manifest()).stdout


def test_what_the_memory_cannot_hold_is_refused_before_weights_are_loaded(maps_job):
    maps_job.input("in.fasta", fasta(["A" * 400_000, "ACDE"], ["long", "short"]))  # 2.5 TB for a map
    assert maps_job.plan()["too_long"] == 1
    done = maps_job.run("--progress", "none")
    assert done.returncode == 65, done.stderr
    lines = done.stderr.splitlines()
    (warned,) = [number for number, line in enumerate(lines) if "1 record with does_not_fit" in line]
    (loaded,) = [number for number, line in enumerate(lines) if "loaded " in line]
    assert warned < loaded
    with maps_job.open() as file:
        status, code, message = records(file)["long"]
    assert (status, code) == ("rejected", "does_not_fit") and "400000 residues do not fit" in message


def test_what_the_disk_cannot_hold_is_refused_with_its_size(maps_job):
    # Some terabytes of maps, of sequences that fit one by one.
    maps_job.input("in.fasta", fasta(["A" * 5_000], ["large"]) * 8_000)
    maps_job.keys["policy"] = {"duplicates": "separate"}
    found = maps_job.plan()
    assert found["too_long"] == 0 and not found["fits_disk"]
    assert found["attention_bytes"] == 8_000 * 2 * 4 * HEADS * 5_000**2
    done = maps_job.refused(75, "before they are compressed", "MB free", "ask for less")
    assert "loaded " not in done.stderr
