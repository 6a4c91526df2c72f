"""What a fold leaves beside the structure: distances from the distogram, and the trunk's states."""

import json

import h5py
import numpy as np
import pytest
from folding import FOLDING, fold_job
from job import fasta, proteins, texts

DIMER, CHAIN, TINY = "dimer", "chain", "tiny"
TRUNK_WIDTH = json.loads((FOLDING / "config.json").read_text())["esmfold_config"]["trunk"]["sequence_state_dim"]
KEPT = {"distogram": {"bins": True}, "trunk_states": True}


def sequences():
    one, two, three = proteins(3, 20, 40, seed=5)
    return {CHAIN: one, DIMER: f"{two}:{three}", TINY: "M"}


def kept_job(tmp_path, **keys):
    job = fold_job(tmp_path)
    job.input("in.fasta", fasta(sequences().values(), sequences()))
    job.keys["tasks"]["structure"] |= keys
    return job


def matrices(file, name):
    """id -> [L, L, ...]"""
    group = file["structures/distogram"]
    found = {}
    for id, row in zip(texts(file["records/id"]), file["records/sequence"][:]):
        begin, end = group["offsets"][row : row + 2]
        length = round((end - begin) ** 0.5)
        values = group[name][begin:end]
        found[id] = values.reshape(length, length, *values.shape[1:])
    return found


def test_distances_and_states(tmp_path):
    job = kept_job(tmp_path, **KEPT)
    with job.compute() as file:
        bins, mean, spread = (matrices(file, name) for name in ("probabilities", "mean", "spread"))
        states, offsets = file["structures/trunk_states"][:], file["sequences/offsets"][:]
    assert states.shape == (offsets[-1], TRUNK_WIDTH)
    assert np.isfinite(states).all() and states.std() > 0
    centers = np.linspace(2.3125 - 0.15625, 21.6875 + 0.15625, 64)
    for id, letters in sequences().items():
        length = len(letters.replace(":", ""))
        assert mean[id].shape == (length, length)
        np.testing.assert_allclose(bins[id].sum(-1), 1, atol=1e-5)
        np.testing.assert_allclose(bins[id] @ centers, mean[id], atol=1e-3)
        variance = (bins[id] * (centers - mean[id][..., None]) ** 2).sum(-1)
        np.testing.assert_allclose(np.sqrt(variance), spread[id], atol=1e-3)
        np.testing.assert_allclose(mean[id], mean[id].T, atol=1e-4)


def test_nothing_else_changes(tmp_path):
    (tmp_path / "plain").mkdir()
    with kept_job(tmp_path, **KEPT).compute() as kept, kept_job(tmp_path / "plain").compute() as plain:
        assert "distogram" not in plain["structures"] and "trunk_states" not in plain["structures"]
        for name in ("positions", "plddt", "pae", "ptm"):
            np.testing.assert_array_equal(kept["structures"][name][:], plain["structures"][name][:])


@pytest.mark.parametrize("keys, there", [
    ({"distogram": True}, {"mean", "spread", "offsets"}),
    ({"distogram": False}, None)])
def test_distances_alone(tmp_path, keys, there):
    with kept_job(tmp_path, **keys).compute() as file:
        assert (set(file["structures/distogram"]) if "distogram" in file["structures"] else None) == there


def test_a_file_from_shards_is_the_same(tmp_path):
    job = kept_job(tmp_path, **KEPT)
    with job.compute():
        pass
    whole = job.folder / "whole.h5"
    job.output.rename(whole)
    parts = []
    for number in (1, 2):
        done = job.run("--shard", f"{number}/2")
        assert done.returncode == 0, done.stderr
        parts.append(next(job.folder.glob(f"*{number}-of-2.h5")))
    merged = job.pleat("merge", *parts, "-o", job.folder / "merged.h5")
    assert merged.returncode == 0, merged.stderr
    with h5py.File(whole) as one, h5py.File(job.folder / "merged.h5") as other:
        for name in (*(f"distogram/{part}" for part in one["structures/distogram"]), "trunk_states"):
            np.testing.assert_array_equal(one["structures"][name][:], other["structures"][name][:])
    assert job.pleat("verify", job.folder / "merged.h5").returncode == 0
