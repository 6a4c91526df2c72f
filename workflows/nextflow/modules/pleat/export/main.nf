// Writes the structures, or the sequences as they were computed, as files in one archive.
process PLEAT_EXPORT {
    tag "${meta.id} ${format}"
    label 'process_low'
    container 'pleat:0.1.0-cpu'

    input:
    tuple val(meta), path(results)
    val format // pdb, cif or fasta

    output:
    tuple val(meta), path("*.tar.gz"), emit: archive
    tuple val(meta), path("*.export.problems.tsv"), emit: problems
    tuple val("${task.process}"), val('pleat'), eval("pleat --version | cut -d' ' -f1"), topic: versions, emit: versions_pleat

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: '--fail-on none'
    def prefix = task.ext.prefix ?: "${meta.id}"
    """
    pleat export ${results} --format ${format} --output '${prefix}.${format}.tar.gz' --problems left-out.tsv ${args}
    awk -v sample='${meta.id}' '{ print (NR == 1 ? "sample" : sample) "\\t" \$0 }' left-out.tsv \\
        > '${prefix}.export.problems.tsv'
    """

    stub:
    def prefix = task.ext.prefix ?: "${meta.id}"
    """
    touch '${prefix}.${format}.tar.gz'
    echo "sample" > '${prefix}.export.problems.tsv'
    """
}
