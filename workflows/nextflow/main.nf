#!/usr/bin/env nextflow
// FASTA files or a samplesheet in; for each sample one result file, a page to look at and, where wanted, structure files
// out, and a list of the problems of all. README.md describes the parameters.

include { PLEAT_SHARDS } from './subworkflows/pleat_shards/main'
include { PLEAT_EXPORT } from './modules/pleat/export/main'
include { PLEAT_REPORT } from './modules/pleat/report/main'

// The sample that a file belongs to: its name without the endings of a compression and of a format. No other ending is
// cut: bin.1.faa is bin.1.
def sample_of(path) {
    return path.name.replaceFirst(/(?i)\.(gz|bgz|bgzf|zst|xz|bz2)$/, '')
        .replaceFirst(/(?i)\.(fasta|fas|fa|faa|fsa|fna|pep|aa|prot|seq|txt|csv|tsv|tab)$/, '')
}

// What a text names: a file, a pattern, or @FILE, a file with a name in each line. Relative to `folder`.
def files_of(text, folder) {
    if (text.startsWith('@')) {
        def list = files_of(text.substring(1), folder)[0]
        return list.readLines()*.trim()
            .findAll { line -> line && !line.startsWith('#') }
            .collectMany { line -> files_of(line, folder) }
    }
    def path = text.startsWith('/') || text.contains('://') || !folder ? text : "${folder}/${text}"
    def found = [file(path, checkIfExists: true)].flatten()
    if (!found) {
        error("'${path}' names no file")
    }
    return found.sort { file -> file.toString() }
}

// The columns of a table's first line, without the quotes and the byte order mark that some programs write.
def columns_of(path) {
    def line = path.withReader { reader -> reader.readLine() } ?: ''
    return line.replace('\uFEFF', '').split(',').collect { word -> word.trim().replaceAll(/^"|"$/, '') }
}

// [sample: its files]. A samplesheet is a CSV file with the columns sample and sequences, where a sample may have several
// rows; whatever else is the sequences themselves, and each file a sample.
def read_samples(input) {
    def found = files_of(input.toString(), null)
    def columns = input.toString().endsWith('.csv') && found.size() == 1 ? columns_of(found[0]) : []
    if ('sample' in columns) {
        if (!('sequences' in columns)) {
            error("${input}: a samplesheet needs the columns sample and sequences, and has ${columns.join(', ')}")
        }
        def rows = found[0].splitCsv(header: columns, skip: 1)
        rows.each { row ->
            if (!row.sample || !row.sequences) {
                error("${input}: each row needs a sample and its sequences; one is ${row.values().join(',')}")
            }
        }
        return rows.groupBy { row -> row.sample }.collectEntries { sample, of_sample ->
            [sample, of_sample.collectMany { row -> files_of(row.sequences, found[0].parent) }]
        }
    }
    def samples = found.groupBy { path -> sample_of(path) }
    samples.each { sample, paths ->
        if (paths.size() > 1) {
            error("${paths.join(' and ')} would both be the sample ${sample}; join or tell them apart in a samplesheet")
        }
    }
    return samples
}

// Before anything runs: what names a sample cannot have, and files SAMPLE + ending in outdir that are there already.
def check_samples(samples, outdir, endings, may_be_there) {
    samples.keySet().each { sample ->
        if (!(sample ==~ /[A-Za-z0-9][A-Za-z0-9._-]*/) || sample =~ /\.shard-\d+-of-\d+$/) {
            error("'${sample}' cannot name a sample: use letters, digits, '.', '_' and '-', and not the names of shards")
        }
        def there = endings.collect { ending -> file("${outdir}/${sample}${ending}") }.find { path -> path.exists() }
        if (there && !may_be_there) {
            error("${there} is there already; choose another --outdir, or replace it with --overwrite")
        }
    }
    samples.keySet().groupBy { sample -> sample.toLowerCase() }.each { _lower, alike ->
        if (alike.size() > 1) {
            error("samples whose names differ in capital letters alone: ${alike.join(', ')}")
        }
    }
}

workflow {
    if (!params.input) {
        error("say which sequences: --input proteins.fasta, or a samplesheet, --input samples.csv")
    }
    if (!params.model) {
        error("say which model: --model FOLDER, or --model NAME --models FOLDER")
    }
    if (!(params.fail_on in ['any', 'all', 'none'])) {
        error("--fail_on ${params.fail_on}: it is any, all or none")
    }
    if (params.export && !(params.export in ['pdb', 'cif', 'fasta'])) {
        error("--export ${params.export}: it is pdb, cif or fasta")
    }
    def folder = file(params.model)
    def is_folder = folder.isDirectory()
    if (!is_folder && !params.models) {
        error("'${params.model}' is no folder here; for a model of that name say where the models are: --models FOLDER")
    }
    def model = is_folder ? folder : file(params.models, type: 'dir', checkIfExists: true)

    def samples = read_samples(params.input)
    def endings = ['.h5', '.report.html', '_mqc.tsv'] + (params.export ? [".${params.export}.tar.gz"] : [])
    check_samples(samples, params.outdir, endings, params.overwrite || workflow.resume)
    PLEAT_SHARDS(
        channel.fromList(samples.collect { sample, sequences -> [[id: sample], sequences] }),
        file(params.manifest, checkIfExists: true),
        model,
        is_folder ? '' : params.model,
        params.state ? new File(params.state).absolutePath : '',
        params.shards as int,
    )
    PLEAT_REPORT(PLEAT_SHARDS.out.results)
    problems = PLEAT_REPORT.out.problems
    versions = PLEAT_SHARDS.out.versions.mix(PLEAT_REPORT.out.versions_pleat)
    if (params.export) {
        PLEAT_EXPORT(PLEAT_SHARDS.out.results, params.export)
        problems = problems.mix(PLEAT_EXPORT.out.problems)
        versions = versions.mix(PLEAT_EXPORT.out.versions_pleat)
    }
    problems
        .map { _meta, file -> file }
        .collectFile(name: 'problems.tsv', storeDir: params.outdir, keepHeader: true, skip: 1, sort: { file -> file.name })
    versions
        .map { process, tool, version -> "${process.tokenize(':').last()}:\n    ${tool}: ${version}\n" }
        .unique()
        .collectFile(name: 'versions.yml', storeDir: params.outdir, sort: true)
}
