"""pleat merge takes memory for a few numbers of each row, not for the rows."""

import pytest
from job import fasta, proteins
from program import pleat_with_peak

RECORDS = 100_000
LARGEST = 500_000_000  # bytes


@pytest.mark.memory
def test_a_hundred_thousand_records_in_little_memory(job):
    job.input("in.fasta", fasta(proteins(RECORDS, 8, 14)))
    job.keys["tasks"] = {"embeddings": {"layers": [0, 1, 2]}}
    parts = [job.folder / f"out.shard-{index}-of-2.h5" for index in (1, 2)]
    for index in (1, 2):
        job.run("--shard", f"{index}/2", "--progress", "none")
    _, half = pleat_with_peak("merge", parts[0], "-o", job.folder / "half.h5", "--allow-missing")
    _, whole = pleat_with_peak("merge", *parts, "-o", job.output)
    with job.open() as file:
        assert len(file["records/id"]) == RECORDS
        stored = sum(file[f"embeddings/layer_{layer:02d}/{name}"].nbytes for layer in range(3)
                     for name in ("mean", "per_residue"))
    print(f"\n{stored / 1e6:.0f} MB of numbers: {whole / 1e6:.0f} MB of memory, half of them {half / 1e6:.0f} MB")
    assert whole < LARGEST and whole - half < stored / 4
