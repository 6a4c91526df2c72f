// Makes a page to look at, a table for MultiQC, and a list of the inputs and records that went wrong, with the sample in
// its first column.
process PLEAT_REPORT {
    tag "${meta.id}"
    label 'process_low'
    container 'pleat:0.1.0-cpu'

    input:
    tuple val(meta), path(results)

    output:
    tuple val(meta), path("*.report.html"), emit: html
    tuple val(meta), path("*_mqc.tsv"), emit: multiqc
    tuple val(meta), path("*.problems.tsv"), emit: problems
    tuple val("${task.process}"), val('pleat'), eval("pleat --version | cut -d' ' -f1"), topic: versions, emit: versions_pleat

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    def prefix = task.ext.prefix ?: "${meta.id}"
    """
    pleat report ${results} --output '${prefix}.report.html' --multiqc '${prefix}_mqc.tsv' ${args}
    pleat inspect ${results} --table problems |
        awk -v sample='${meta.id}' '{ print (NR == 1 ? "sample" : sample) "\\t" \$0 }' > '${prefix}.problems.tsv'
    """

    stub:
    def prefix = task.ext.prefix ?: "${meta.id}"
    """
    touch '${prefix}.report.html' '${prefix}_mqc.tsv'
    echo "sample" > '${prefix}.problems.tsv'
    """
}
