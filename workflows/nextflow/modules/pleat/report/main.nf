// Lists the inputs that could not be read and the records that were refused or failed, and why, with the sample in the
// first column.
process PLEAT_REPORT {
    tag "${meta.id}"
    label 'pleat_light'
    container params.pleat_image

    input:
    tuple val(meta), path(results)

    output:
    tuple val(meta), path("*.problems.tsv"), emit: problems
    path "versions.yml", emit: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def prefix = task.ext.prefix ?: meta.id
    """
    pleat inspect ${results} --table problems |
        awk -v sample='${meta.id}' '{ print (NR == 1 ? "sample" : sample) "\\t" \$0 }' > '${prefix}.problems.tsv'

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        pleat: \$(pleat --version | cut -d' ' -f1)
    END_VERSIONS
    """

    stub:
    def prefix = task.ext.prefix ?: meta.id
    """
    echo "sample" > '${prefix}.problems.tsv'

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        pleat: \$(pleat --version | cut -d' ' -f1)
    END_VERSIONS
    """
}
