// Writes the structures, or the sequences as they were computed, as files in one archive.
process PLEAT_EXPORT {
    tag "${meta.id} ${format}"
    label 'pleat_light'
    container params.pleat_image

    input:
    tuple val(meta), path(results)
    val format // pdb, cif or fasta

    output:
    tuple val(meta), path("*.tar.gz"), emit: archive
    path "versions.yml", emit: versions

    script:
    def args = task.ext.args ?: ''
    def prefix = task.ext.prefix ?: meta.id
    """
    pleat export ${results} --format ${format} --output '${prefix}.${format}.tar.gz' ${args}

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        pleat: \$(pleat --version | cut -d' ' -f1)
    END_VERSIONS
    """

    stub:
    def prefix = task.ext.prefix ?: meta.id
    """
    touch '${prefix}.${format}.tar.gz'

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        pleat: \$(pleat --version | cut -d' ' -f1)
    END_VERSIONS
    """
}
