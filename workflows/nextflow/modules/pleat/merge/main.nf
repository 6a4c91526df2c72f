// Joins the files of a sample's shards into the file that one run would have written.
process PLEAT_MERGE {
    tag "${meta.id}"
    label 'process_low'
    container 'pleat:0.1.0-cpu'

    input:
    tuple val(meta), path(parts)

    output:
    tuple val(meta), path("*.h5"), emit: results // without those that are inputs
    tuple val("${task.process}"), val('pleat'), eval("pleat --version | cut -d' ' -f1"), topic: versions, emit: versions_pleat

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    def prefix = task.ext.prefix ?: "${meta.id}"
    """
    pleat merge ${parts} --output '${prefix}.h5' ${args}
    """

    stub:
    def prefix = task.ext.prefix ?: "${meta.id}"
    """
    touch '${prefix}.h5'
    """
}
