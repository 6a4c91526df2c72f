# A file of names holds any number of files; a command line does not.
rule pleat_names:
    input:
        sequences=sequences_of,
    output:
        temp("results/inputs/{sample}.txt"),
    log:
        "logs/pleat_names/{sample}.log",
    localrule: True
    run:
        Path(output[0]).write_text(
            "".join(f"{Path(file).absolute()}\n" for file in input.sequences)
        )


# What a killed job has computed lies in `state`, which no rule declares: Snakemake deletes the declared outputs of jobs
# that fail. A job that runs again resumes from there.
rule pleat_run:
    input:
        sequences=sequences_of,
        names="results/inputs/{sample}.txt",
        manifest=config["manifest"],
    output:
        results=temp("results/shards/{sample}.shard-{shard}-of-{shards}.h5"),
        summary="results/shards/{sample}.shard-{shard}-of-{shards}.summary.json",
    log:
        "logs/pleat_run/{sample}.{shard}-of-{shards}.log",
    retries: config["retries"]
    threads: config["threads"]
    resources:
        mem_mb=config["mem_mb"],
        runtime=config["runtime"],
        gpu=config["gpus"],
    params:
        # pleat run gives it the suffix of its part, that of `results`.
        whole=lambda wildcards: f"results/shards/{wildcards.sample}.h5",
        model=model_override(),
        state=lambda wildcards: f"{config['state']}/{wildcards.sample}.{wildcards.shard}-of-{wildcards.shards}",
        models=f"export PLEAT_MODELS='{config['models']}'; " if config["models"] else "",
        options=config["options"],
    shell:
        "export OMP_NUM_THREADS={threads}; "
        "{params.models}"
        "pleat run {input.manifest:q} --set inputs=@{input.names:q} --set {params.model:q} "
        "--shard {wildcards.shard}/{wildcards.shards} --output {params.whole:q} "
        "--summary-json {output.summary:q} --work-dir {params.state:q} --progress none {params.options} 2>>{log:q}"


rule pleat_merge:
    input:
        lambda wildcards: [
            f"results/shards/{wildcards.sample}.shard-{shard}-of-{SHARDS}.h5"
            for shard in range(1, SHARDS + 1)
        ],
    output:
        "results/{sample}.h5",
    log:
        "logs/pleat_merge/{sample}.log",
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    shell:
        "pleat merge {input:q} --output {output:q} >{log:q} 2>&1"


rule pleat_export:
    input:
        "results/{sample}.h5",
    output:
        archive="results/{sample}.{format}.tar.gz",
        problems=temp("results/problems/{sample}.{format}.tsv"),
    log:
        "logs/pleat_export/{sample}.{format}.log",
    wildcard_constraints:
        format="pdb|cif|fasta",
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        options=config["export_options"],
    shell:
        "pleat export {input:q} --format {wildcards.format} --output {output.archive:q} "
        "--problems {output.problems:q} {params.options} >{log:q} 2>&1"


# A page to look at, also in what `snakemake --report` writes, and its numbers for MultiQC. Snakemake has removed what
# was there before it runs a job.
rule pleat_report:
    input:
        "results/{sample}.h5",
    output:
        page=report("results/{sample}.report.html", category="pleat"),
        multiqc="results/{sample}_mqc.tsv",
    log:
        "logs/pleat_report/{sample}.log",
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        options=config["report_options"],
    shell:
        "pleat report {input:q} --output {output.page:q} --multiqc {output.multiqc:q} {params.options} >{log:q} 2>&1"


# The inputs of all samples that could not be read, the records that were refused or failed, those that could not be
# exported, and why.
rule pleat_problems:
    input:
        results=expand("results/{sample}.h5", sample=config["samples"]),
        exports=[
            f"results/problems/{sample}.{config['export']}.tsv"
            for sample in config["samples"]
            if config["export"]
        ],
    output:
        "results/problems.tsv",
    log:
        "logs/pleat_problems.log",
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        samples=list(config["samples"]),
        export=config["export"],
    shell:
        "head=1; for sample in {params.samples:q}; do "
        'exported="results/problems/$sample.{params.export}.tsv"; '
        '{{ pleat inspect "results/$sample.h5" --table problems; '
        '[ ! -e "$exported" ] || tail -n +2 "$exported"; }} | '
        'awk -v sample="$sample" -v head="$head" '
        '\'NR == 1 {{ if (head) print "sample\\t" $0; next }} {{ print sample "\\t" $0 }}\'; '
        "head=0; done >{output:q} 2>{log:q}"
