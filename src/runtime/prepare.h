// Everything that is settled before a weight is loaded: inputs read, requests checked against the model, batches made.
#pragma once

#include <ATen/core/ScalarType.h>

#include <filesystem>
#include <vector>

#include "pleat/esm2/tokenizer.h"
#include "pleat/manifest/manifest.h"
#include "pleat/plan/batches.h"
#include "pleat/runtime/job.h"
#include "pleat/sequence/dataset.h"
#include "pleat/store/result_writer.h"
#include "pleat/weights/config.h"

namespace pleat {

struct PreparedJob {
  std::filesystem::path model_folder;
  Esm2Config config;
  Tokenizer tokenizer;
  at::ScalarType precision;
  ModelShape shape;
  ResultLayout layout;
  Dataset dataset;
  std::vector<std::int64_t> tokens;  // per unique sequence
  std::vector<Batch> batches;
};

[[nodiscard]] PreparedJob prepare_job(const Manifest& manifest, RunObserver& observer);

}  // namespace pleat
