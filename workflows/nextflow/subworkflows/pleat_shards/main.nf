// Computes each sample in a number of shards and joins them.
include { PLEAT_RUN   } from '../../modules/pleat/run/main'
include { PLEAT_MERGE } from '../../modules/pleat/merge/main'

workflow PLEAT_SHARDS {
    take:
    samples    // channel: [ meta, sequences ]
    manifest   // file
    model      // folder, or [] for the models that the image or the site has
    model_name // string, empty where model is the model's own folder
    shards     // number

    main:
    parts = samples.flatMap { meta, sequences ->
        (1..shards).collect { shard -> [meta + [shard: shard, shards: shards], sequences] }
    }
    PLEAT_RUN(parts, manifest, model, model_name)
    versions = PLEAT_RUN.out.versions.first()

    if (shards > 1) {
        // A sample is joined as soon as all of its own shards are there.
        grouped = PLEAT_RUN.out.results
            .map { meta, file -> [groupKey(meta.subMap(meta.keySet() - ['shard', 'shards']), shards), file] }
            .groupTuple()
            .map { meta, files -> [meta.target, files] }
        PLEAT_MERGE(grouped)
        results = PLEAT_MERGE.out.results
    }
    else {
        results = PLEAT_RUN.out.results.map { meta, file -> [meta.subMap(meta.keySet() - ['shard', 'shards']), file] }
    }

    emit:
    results  // channel: [ meta, h5 ]
    versions // channel: versions.yml
}
