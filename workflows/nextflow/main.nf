#!/usr/bin/env nextflow
// FASTA files or a samplesheet in; one result file, a list of problems and, where wanted, structure files for each sample
// out. README.md describes the parameters.

include { PLEAT_SHARDS } from './subworkflows/pleat_shards/main'
include { PLEAT_EXPORT } from './modules/pleat/export/main'
include { PLEAT_REPORT } from './modules/pleat/report/main'

// A samplesheet is a CSV file with the columns sample and sequences; whatever else is the sequences themselves.
def read_samples(input) {
    if (!input.toString().endsWith('.csv')) {
        return Channel.fromPath(input, checkIfExists: true).map { file -> [[id: file.simpleName], file] }
    }
    def sheet = file(input, checkIfExists: true)
    return Channel.of(sheet).splitCsv(header: true).map { row ->
        if (!row.sample || !row.sequences) {
            error("${input}: each row needs a sample and its sequences")
        }
        def path = file(row.sequences).isAbsolute() || row.sequences.contains('://') ? row.sequences : "${sheet.parent}/${row.sequences}"
        [[id: row.sample], file(path, checkIfExists: true)]
    }
}

workflow {
    if (!params.input) {
        error("say which sequences: --input proteins.fasta, or a samplesheet, --input samples.csv")
    }
    if (!params.model) {
        error("say which model: --model FOLDER, or --model NAME --models FOLDER")
    }
    def folder = file(params.model)
    def is_folder = folder.isDirectory()
    if (!is_folder && !params.models) {
        error("'${params.model}' is no folder here; for a model of that name say where the models are: --models FOLDER")
    }
    def model = is_folder ? folder : file(params.models, type: 'dir', checkIfExists: true)

    PLEAT_SHARDS(
        read_samples(params.input),
        file(params.manifest, checkIfExists: true),
        model,
        is_folder ? '' : params.model,
        params.shards as int,
    )
    PLEAT_REPORT(PLEAT_SHARDS.out.results)
    PLEAT_REPORT.out.problems
        .map { _meta, file -> file }
        .collectFile(name: 'problems.tsv', storeDir: params.outdir, keepHeader: true, skip: 1, sort: { file -> file.name })
    versions = PLEAT_SHARDS.out.versions
    if (params.export) {
        PLEAT_EXPORT(PLEAT_SHARDS.out.results, params.export)
        versions = versions.mix(PLEAT_EXPORT.out.versions.first())
    }
    versions.mix(PLEAT_REPORT.out.versions.first()).collectFile(name: 'versions.yml', storeDir: params.outdir)
}
