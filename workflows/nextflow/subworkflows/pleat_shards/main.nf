// Computes each sample in a number of shards and joins them.
include { PLEAT_RUN   } from '../../modules/pleat/run/main'
include { PLEAT_MERGE } from '../../modules/pleat/merge/main'

workflow PLEAT_SHARDS {
    take:
    samples    // channel: [ meta, sequences ]
    manifest   // file
    model      // folder, or [] for the models that the image or the site has
    model_name // string, empty where model is the model's own folder
    state      // string, a folder in which a task that is tried again finds what it had, or empty
    shards     // number

    main:
    parts = samples.flatMap { meta, sequences ->
        (1..shards).collect { shard -> [meta, sequences, shard, shards] }
    }
    PLEAT_RUN(parts, manifest, model, model_name, state)
    results = PLEAT_RUN.out.results
    versions = PLEAT_RUN.out.versions_pleat

    if (shards > 1) {
        // A sample is joined as soon as all of its own shards are there.
        grouped = PLEAT_RUN.out.results
            .map { meta, file -> [groupKey(meta, shards), file] }
            .groupTuple()
            .map { key, files -> [key.target, files.sort { file -> file.name }] }
        PLEAT_MERGE(grouped)
        results = PLEAT_MERGE.out.results
        versions = versions.mix(PLEAT_MERGE.out.versions_pleat)
    }

    emit:
    results  // channel: [ meta, h5 ]
    versions // channel: [ process, tool, version ]
}
