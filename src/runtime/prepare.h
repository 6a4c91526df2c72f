// Everything that is settled before a weight is loaded: inputs read, requests checked against the model, batches made.
#pragma once

#include <ATen/core/ScalarType.h>

#include <filesystem>
#include <vector>

#include "pleat/esm2/tokenizer.h"
#include "pleat/esmfold/model.h"
#include "pleat/manifest/manifest.h"
#include "pleat/plan/batches.h"
#include "pleat/runtime/job.h"
#include "pleat/sequence/dataset.h"
#include "pleat/store/result_writer.h"
#include "pleat/weights/config.h"

namespace pleat {

struct PreparedJob {
  std::filesystem::path model_folder;
  ModelConfig config;
  Tokenizer tokenizer;
  at::ScalarType precision;
  ResultLayout layout;  // with structures: the model folds
  Dataset dataset;
  std::vector<std::int64_t> tokens = {};  // per unique sequence
  std::vector<double> flops = {};         // per unique sequence, by the cost models
  std::vector<Batch> batches = {};
  FoldRequest fold_request = {};  // of every sequence, where they are folded
  ChainLink chain_link = {};
};

[[nodiscard]] PreparedJob prepare_job(const Manifest& manifest, RunObserver& observer);

}  // namespace pleat
