// Embeds and folds the sequences of one sample, or one shard of them, into an HDF5 file.
process PLEAT_RUN {
    tag "${meta.id}${shards > 1 ? " ${shard}/${shards}" : ''}"
    label 'process_high'
    container 'pleat:0.1.0-cpu'

    input:
    // shard of shards is computed, all of the sequences where shards is 1
    tuple val(meta), path(sequences, stageAs: 'sequences/?/*'), val(shard), val(shards)
    path manifest
    // a model's folder with model_name empty, or a folder of models with the name of one of them
    path model, stageAs: 'weights/*'
    val model_name
    // a folder that all tasks see, from which a retry resumes, since its own work folder is new; or empty
    val state

    output:
    tuple val(meta), path("*.h5"), emit: results
    tuple val(meta), path("*.summary.json"), emit: summary
    tuple val("${task.process}"), val('pleat'), eval("pleat --version | cut -d' ' -f1"), topic: versions, emit: versions_pleat

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: '--fail-on none'
    def prefix = task.ext.prefix ?: "${meta.id}"
    // pleat run gives the output's name this suffix itself.
    def output = shards > 1 ? "${prefix}.shard-${shard}-of-${shards}" : prefix
    def part = shards > 1 ? "--shard ${shard}/${shards}" : ''
    def work = state ? "--work-dir '${state}/${output}.work'" : ''
    def name = model_name ?: "${model}"
    """
    export OMP_NUM_THREADS=${task.cpus}
    ${model_name ? "export PLEAT_MODELS=\"\$PWD/${model}\"" : ''}
    # A file of names holds any number of files; a command line does not, but for those of the shell itself.
    printf '%s\\n' ${[sequences].flatten().join(' ')} > inputs.txt
    pleat run ${manifest} --set inputs=@inputs.txt --set 'model="${name}"' --output '${prefix}.h5' \\
        --summary-json '${output}.summary.json' --progress none ${part} ${work} ${args}
    """

    stub:
    def prefix = task.ext.prefix ?: "${meta.id}"
    def output = shards > 1 ? "${prefix}.shard-${shard}-of-${shards}" : prefix
    """
    touch '${output}.h5'
    echo '{}' > '${output}.summary.json'
    """
}
