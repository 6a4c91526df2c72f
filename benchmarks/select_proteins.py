#!/usr/bin/env python3
"""Picks real proteins at random, always the same ones: select_proteins.py NUMBER OUTPUT.fasta [INPUT.fasta.gz]. The
default input is the Debian and Ubuntu package mmseqs2-examples: 20,000 proteins from UniProt."""

import gzip
import random
import sys
from pathlib import Path

EXAMPLES = Path("/usr/share/doc/mmseqs2/example-data/DB.fasta.gz")
SHORTEST, LONGEST = 30, 500
SEED = 1


def read_fasta(path):
    header, lines = None, []
    with gzip.open(path, "rt") as file:
        for line in file:
            if line.startswith(">"):
                if header is not None:
                    yield header, "".join(lines)
                header, lines = line[1:].strip(), []
            else:
                lines.append(line.strip())
    if header is not None:
        yield header, "".join(lines)


def select_proteins(number, output, source=EXAMPLES, shortest=SHORTEST):
    if not source.exists():
        sys.exit(f"{source} is missing; install it with: apt-get install mmseqs2-examples")
    by_sequence = {}  # no sequence twice: pleat would compute it once only
    for header, sequence in read_fasta(source):
        if shortest <= len(sequence) <= LONGEST:
            by_sequence.setdefault(sequence, header)
    if number > len(by_sequence):
        sys.exit(f"{source} has only {len(by_sequence)} proteins of {shortest} to {LONGEST} residues")
    chosen = random.Random(SEED).sample(list(by_sequence.items()), number)
    output.write_text("".join(f">{header}\n{sequence}\n" for sequence, header in chosen))


if __name__ == "__main__":
    select_proteins(int(sys.argv[1]), Path(sys.argv[2]), *map(Path, sys.argv[3:4]))
