// Joins the files of a sample's shards into the file that one run would have written.
process PLEAT_MERGE {
    tag "${meta.id}"
    label 'pleat_light'
    container params.pleat_image

    input:
    tuple val(meta), path(parts)

    output:
    tuple val(meta), path("${task.ext.prefix ?: meta.id}.h5"), emit: results
    path "versions.yml", emit: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    def prefix = task.ext.prefix ?: meta.id
    """
    pleat merge ${parts} --output '${prefix}.h5' ${args}

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        pleat: \$(pleat --version | cut -d' ' -f1)
    END_VERSIONS
    """

    stub:
    def prefix = task.ext.prefix ?: meta.id
    """
    touch '${prefix}.h5'

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        pleat: \$(pleat --version | cut -d' ' -f1)
    END_VERSIONS
    """
}
