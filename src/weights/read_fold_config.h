// How the folding trunk's part of config.json is read.
#pragma once

#include <optional>

#include "weights/config_values.h"
#include "weights/fold_config.h"

namespace pleat {

// "esmfold_config" of the whole config.json; nothing for a language model. Keys that are absent or null have the
// reference's defaults, those of esmfold_v1. Unknown keys count for nothing, and neither do those that concern
// training, or how the reference runs: dropout, layer_drop, esm_input_dropout, fp16_esm, chunk_size, max_recycles, inf.
// Throws Error(bad_input) for wrong types, sizes out of bounds, and parts that disagree.
[[nodiscard]] std::optional<FoldConfig> read_fold_config(const ConfigValues& values);

}  // namespace pleat
