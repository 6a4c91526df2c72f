SHARDS = config["shards"]


def sequences_of(wildcards):
    files = config["samples"][wildcards.sample]
    return [files] if isinstance(files, str) else files


def inputs_override(wildcards, input):
    files = ", ".join(f'"{Path(file).absolute()}"' for file in input.sequences)
    return f"inputs=[{files}]"


# A folder that is there, wherever the manifest lies, or a name.
def model_override():
    model = Path(config["model"])
    return f'model="{model.absolute() if model.is_dir() else model}"'
