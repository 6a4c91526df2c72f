// Embeds and folds the sequences of one sample, or one shard of them, into an HDF5 file.
process PLEAT_RUN {
    tag "${meta.id}${meta.shards > 1 ? " ${meta.shard}/${meta.shards}" : ''}"
    label 'pleat_compute'
    container params.pleat_image

    input:
    // meta.id names the sample; meta.shard of meta.shards is computed, all of it where meta.shards is 1
    tuple val(meta), path(sequences, stageAs: 'sequences/?/*')
    path manifest
    // a model's folder with model_name empty, or a folder of models with the name of one of them
    path model, stageAs: 'weights/*'
    val model_name

    output:
    tuple val(meta), path("*.h5"), emit: results
    tuple val(meta), path("*.summary.json"), emit: summary
    path "versions.yml", emit: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: '--fail-on none'
    def prefix = task.ext.prefix ?: meta.id
    // pleat run gives the output's name this suffix itself.
    def output = meta.shards > 1 ? "${prefix}.shard-${meta.shard}-of-${meta.shards}" : prefix
    def shard = meta.shards > 1 ? "--shard ${meta.shard}/${meta.shards}" : ''
    // A retry gets a new folder: what is to be gone on with must lie outside of it.
    def state = task.ext.state ? "--work-dir '${task.ext.state}/${output}.work'" : ''
    def name = model_name ?: "${model}"
    """
    export OMP_NUM_THREADS=${task.cpus}
    ${model_name ? "export PLEAT_MODELS=\"\$PWD/${model}\"" : ''}
    # A file of names holds any number of files; a command line does not, but for those of the shell itself.
    printf '%s\\n' ${[sequences].flatten().join(' ')} > inputs.txt
    pleat run ${manifest} --set inputs=@inputs.txt --set 'model="${name}"' --output '${prefix}.h5' \\
        --summary-json '${output}.summary.json' --progress none ${shard} ${state} ${args}

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        pleat: \$(pleat --version | cut -d' ' -f1)
    END_VERSIONS
    """

    stub:
    def prefix = task.ext.prefix ?: meta.id
    def output = meta.shards > 1 ? "${prefix}.shard-${meta.shard}-of-${meta.shards}" : prefix
    """
    touch '${output}.h5'
    echo '{}' > '${output}.summary.json'

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        pleat: \$(pleat --version | cut -d' ' -f1)
    END_VERSIONS
    """
}
