"""Runs of tasks.scoring, and what they have computed."""

import csv
import io

from job import MODEL, Job, fasta, texts


def scores(file, name):
    """Path -> the scores of a record."""
    row = file["records/sequence"][texts(file["records/id"]).index(name)]
    begin, end = file["sequences/offsets"][row : row + 2]
    group = file["scores"]
    found = {"pseudo_perplexity": group["pseudo_perplexity"][row], "log_probability": group["log_probability"][begin:end]}
    if "substitutions" in group:
        found["substitutions"] = group["substitutions"][begin:end]
    if "variants" in group:
        first, last = group["variants/offsets"][row : row + 2]
        names = texts(group["table/variant"])
        found["variants"] = {names[place]: score for place, score in zip(group["variants/row"][first:last],
                                                                         group["variants/score"][first:last])}
    return found


def scoring_job(folder, sequences, model=MODEL, **scoring):
    job = Job(folder, model)
    job.input("in.fasta", fasta(sequences))
    job.keys["tasks"] = {"scoring": scoring or True}
    return job


def table_of(job, rows):
    job.place("variants.csv", "id,variants\n" + "".join(f"{name},{variant}\n" for name, variant in rows))
    job.keys["tasks"]["scoring"]["variants"] = "variants.csv"


def exported(job, what, *arguments):
    done = job.pleat("export", job.output, "--format", "csv", "--what", what, "--output", "-", *arguments)
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))
