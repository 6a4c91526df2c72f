#!/usr/bin/env python3
"""Writes the golden scores of sequences and variants: what a plain loop over Hugging Face transformers computes for the
small models of tests/data/esm2, one masked copy at a time. scripts/golden/run calls it after make_golden.py.

    make_scores_golden.py MODELS FOLDER        such as tests/data/esm2 tests/data/scores

FOLDER/<case>.json holds for each sequence, as natural logarithms in float32:
    log_probability   of each residue, masked
    one_pass          of each residue, from one pass with nothing masked
    masked_marginals, wildtype_marginals   of each residue and each of the 20 amino acids, the new less the old
    variants          by each method, where a sequence has some
Chains are joined by 25 glycines, which are never masked.
"""

import json
import random
import sys
from pathlib import Path

import torch
import transformers
from cases import STANDARD
from make_demo_model import VOCAB
from make_golden import load_model

LINKER = "G" * 25
# One that drops tokens, one that does not, and one with a norm before the first layer.
CASES = ("head16", "head128_shards", "head16_norm_before")


def sequences(case):
    source = random.Random(f"scores of {case}")
    made = ["".join(source.choice(STANDARD) for _ in range(length)) for length in (1, 9, 40)]
    made.append("MK" + "XBUZO" + "".join(source.choice(STANDARD) for _ in range(13)))
    made.append("".join(source.choice(STANDARD) for _ in range(11)) + ":" + made[1])
    return made


def variants(sequence, source):
    """Single, double and triple ones of the residues, counted through the chains."""
    residues = sequence.replace(":", "")
    for count in (1, 1, 2, 3):
        if count > len(residues):
            continue
        places = source.sample(range(len(residues)), count)
        yield ":".join(f"{residues[place]}{place + 1}{source.choice(STANDARD)}" for place in places)


class Reference:
    def __init__(self, folder):
        self.model = load_model(folder, torch.float32)

    def log_probabilities(self, tokens):
        """[T, V]: the log-softmax over the whole vocabulary."""
        mask = torch.ones_like(tokens)[None]
        return torch.log_softmax(self.model(tokens[None], attention_mask=mask).logits[0], dim=-1)

    @staticmethod
    def tokens_of(chains):
        """The tokens of a sequence of chains, and the place of each residue among them."""
        tokens, places = ["<cls>"], []
        for number, chain in enumerate(chains):
            tokens += LINKER if number else ""
            places += range(len(tokens), len(tokens) + len(chain))
            tokens += chain
        return torch.tensor([VOCAB.index(token) for token in [*tokens, "<eos>"]]), places

    def masked(self, tokens, places):
        """[L, V]: of each residue where it alone is masked."""
        rows = []
        for place in places:
            copy = tokens.clone()
            copy[place] = VOCAB.index("<mask>")
            rows.append(self.log_probabilities(copy)[place])
        return torch.stack(rows)


def own(table, tokens, places):
    return table[range(len(places)), tokens[places]]


def marginals(table, tokens, places):
    letters = [VOCAB.index(letter) for letter in STANDARD]
    return table[:, letters] - own(table, tokens, places)[:, None]


def score(reference, variant, scored):
    """The score of a variant by each method."""
    tokens, places, masked, unmasked = scored
    changes = [(int(part[1:-1]) - 1, VOCAB.index(part[-1])) for part in variant.split(":")]
    sums = {
        name: sum((table[place, token] - table[place, tokens[places[place]]]).item() for place, token in changes)
        for name, table in (("masked_marginals", masked), ("wildtype_marginals", unmasked))
    }
    mutant = tokens.clone()
    for place, token in changes:
        mutant[places[place]] = token
    mutant_sum = own(reference.masked(mutant, places), mutant, places).double().sum().item()
    wild_type_sum = own(masked, tokens, places).double().sum().item()
    return {"variant": variant, **sums, "pll_ratio": mutant_sum - wild_type_sum}


def listed(tensor):
    return [listed(row) for row in tensor] if tensor.dim() > 1 else [float(f"{x:.7g}") for x in tensor.tolist()]


def make_case(case, models, folder):
    reference = Reference(models / case)
    source = random.Random(f"variants of {case}")
    entries = []
    for sequence in sequences(case):
        tokens, places = reference.tokens_of(sequence.split(":"))
        masked = reference.masked(tokens, places)
        unmasked = reference.log_probabilities(tokens)[places]
        scored = tokens, places, masked, unmasked
        entries.append({
            "sequence": sequence,
            "log_probability": listed(own(masked, tokens, places)),
            "one_pass": listed(own(unmasked, tokens, places)),
            "masked_marginals": listed(marginals(masked, tokens, places)),
            "wildtype_marginals": listed(marginals(unmasked, tokens, places)),
            "variants": [score(reference, variant, scored) for variant in variants(sequence, source)],
        })
    versions = {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__}
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"made_with": versions, "sequences": entries})
    (folder / f"{case}.json").write_text(text.replace("}, {", "},\n {").replace('], "', '],\n  "') + "\n")


def main():
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    models, folder = map(Path, sys.argv[1:])
    for case in CASES:
        make_case(case, models, folder)


if __name__ == "__main__":
    main()
