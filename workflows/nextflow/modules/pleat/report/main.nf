// Lists the inputs that could not be read and the records that were refused or failed, and why, with the sample in the
// first column.
process PLEAT_REPORT {
    tag "${meta.id}"
    label 'process_low'
    container 'pleat:0.1.0-cpu'

    input:
    tuple val(meta), path(results)

    output:
    tuple val(meta), path("*.problems.tsv"), emit: problems
    tuple val("${task.process}"), val('pleat'), eval("pleat --version | cut -d' ' -f1"), topic: versions, emit: versions_pleat

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: '--table problems'
    def prefix = task.ext.prefix ?: "${meta.id}"
    """
    pleat inspect ${results} ${args} |
        awk -v sample='${meta.id}' '{ print (NR == 1 ? "sample" : sample) "\\t" \$0 }' > '${prefix}.problems.tsv'
    """

    stub:
    def prefix = task.ext.prefix ?: "${meta.id}"
    """
    echo "sample" > '${prefix}.problems.tsv'
    """
}
