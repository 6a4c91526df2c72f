// The inputs of a run, with what belongs to them: pairs of records, variants.
#pragma once

#include <optional>

#include "core/stop.h"
#include "esm2/tokenizer.h"
#include "manifest/manifest.h"
#include "plan/shards.h"
#include "runtime/job.h"
#include "sequence/dataset.h"
#include "sequence/reader.h"
#include "weights/config.h"

namespace pleat {

// How inputs are read for a model.
[[nodiscard]] ReadOptions read_options(const Manifest& manifest, const Tokenizer& tokenizer);

struct DatasetPart {
  std::optional<ShardSpec> shard = {};  // empty: everything
  const StopToken* stop = nullptr;      // may be null
};

// Reads the inputs, or a shard of them, and tells what is wrong with them. Shards are divided before anything that
// depends on the machine, so that all jobs of an array agree.
[[nodiscard]] Dataset read_dataset(const Manifest& manifest, const ModelConfig& config, const Tokenizer& tokenizer,
                                   const DatasetPart& part, RunObserver& observer);

}  // namespace pleat
