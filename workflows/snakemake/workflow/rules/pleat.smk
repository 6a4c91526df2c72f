# What a killed job has computed lies in `state`, which no rule declares: Snakemake deletes the declared outputs of jobs
# that fail. A job that runs again goes on there.
rule pleat_run:
    input:
        sequences=sequences_of,
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
    params:
        inputs=inputs_override,
        model=model_override(),
        state=lambda wildcards: f"{config['state']}/{wildcards.sample}.{wildcards.shard}-of-{wildcards.shards}",
        models=f"export PLEAT_MODELS='{config['models']}'; " if config["models"] else "",
        options=config["options"],
    shell:
        "export OMP_NUM_THREADS={threads}; "
        "{params.models}"
        "pleat run {input.manifest:q} --set {params.inputs:q} --set {params.model:q} "
        "--shard {wildcards.shard}/{wildcards.shards} --output {output.results:q} "
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
        "results/{sample}.{format}.tar.gz",
    log:
        "logs/pleat_export/{sample}.{format}.log",
    wildcard_constraints:
        format="pdb|cif|fasta",
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    shell:
        "pleat export {input:q} --format {wildcards.format} --output {output:q} >{log:q} 2>&1"


# The records of all samples that were refused or failed, and why.
rule pleat_report:
    input:
        expand("results/{sample}.h5", sample=config["samples"]),
    output:
        "results/problems.tsv",
    log:
        "logs/pleat_report.log",
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        samples=list(config["samples"]),
    shell:
        "head=1; for sample in {params.samples:q}; do "
        'pleat inspect "results/$sample.h5" --table problems | '
        'awk -v sample="$sample" -v head="$head" '
        '\'NR == 1 {{ if (head) print "sample\\t" $0; next }} {{ print sample "\\t" $0 }}\'; '
        "head=0; done >{output:q} 2>{log:q}"
