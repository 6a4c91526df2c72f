from snakemake.exceptions import WorkflowError

SHARDS = config["shards"]

# Two samples of one name would write one file, on systems that do not tell capital letters from small ones too.
for sample in config["samples"]:
    alike = [other for other in config["samples"] if other.lower() == sample.lower()]
    if len(alike) > 1:
        raise WorkflowError(
            f"samples: {' and '.join(alike)} would have one name for their results"
        )


# Files, or @FILE: a file that names them, a line each, relative to where Snakemake stands.
def sequences_of(wildcards):
    files = config["samples"][wildcards.sample]
    files = [files] if isinstance(files, str) else files
    named = []
    for file in files:
        if file.startswith("@"):
            lines = Path(file[1:]).read_text().splitlines()
            named += [
                line.strip()
                for line in lines
                if line.strip() and not line.startswith("#")
            ]
        else:
            named.append(file)
    return named


# A folder that is there, wherever the manifest lies, or a name.
def model_override():
    model = Path(config["model"])
    return f'model="{model.absolute() if model.is_dir() else model}"'
