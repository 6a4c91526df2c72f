// Everything that is settled before a weight is loaded: inputs read, requests checked against the model, then batches
// made of what no earlier run has computed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "esm2/tokenizer.h"
#include "esmfold/model.h"
#include "machine/devices.h"
#include "manifest/manifest.h"
#include "plan/batches.h"
#include "plan/interruptions.h"
#include "plan/scoring_cost.h"
#include "plan/shards.h"
#include "results/result_writer.h"
#include "runtime/capacity.h"
#include "runtime/job.h"
#include "sequence/dataset.h"
#include "weights/checkpoint.h"
#include "weights/config.h"

namespace pleat {

struct PreparedJob {
  std::filesystem::path model_folder;
  ModelConfig config;
  Tokenizer tokenizer;
  Precision precision;  // resolved
  DeviceChoice devices;
  ResultLayout layout;  // with structures: the model folds
  Dataset dataset;
  Capacity capacity;
  std::int64_t longest_tokens = 0;  // of a sequence that is to be computed
  // Of each row, the one that it would have if nothing had been refused for its length; empty where nothing was.
  std::vector<std::int64_t> row_keys = {};
  std::vector<std::int64_t> tokens = {};  // per unique sequence
  std::vector<std::int64_t> work = {};    // likewise: the tokens of all passes over it
  std::vector<double> flops = {};         // likewise, by the cost models
  ScoringPasses scoring;
  BatchOrder order = BatchOrder::longest_first;
};

// What is left to compute, and how.
struct JobPlan {
  std::int64_t tokens_at_once = 0;  // that a pass may have, but for a longer sequence alone
  std::vector<Batch> batches = {};
  FoldRequest fold_request = {};  // of every sequence, where they are folded
  ChainLink chain_link = {};
};

// What the manifest asks for, checked against the model's config.json.
struct ChosenModel {
  DeviceChoice devices;
  Precision precision;  // resolved
  std::filesystem::path folder;
  ModelConfig config;
  Tokenizer tokenizer;
  ResultLayout layout;
};
[[nodiscard]] ChosenModel choose_model(const Manifest& manifest);

// Throws Error(bad_manifest) where a task needs a head that the checkpoint has not.
void check_heads(const Manifest& manifest, const Checkpoint& checkpoint);

// How many tokens a pass may have; `work` are the tokens of all passes over each sequence.
[[nodiscard]] std::int64_t token_budget(const Manifest& manifest, const std::vector<std::int64_t>& work,
                                        const DeviceChoice& devices, std::int64_t longest_tokens);

// GPUs that embed are so fast that the file is assembled beside them, for which results are to come in its order.
[[nodiscard]] BatchOrder batch_order(const Manifest& manifest, const DeviceChoice& devices);

struct PrepareOptions {
  // A sequence with more tokens is refused; 0 leaves it to the memory that is free.
  std::int64_t longest_tokens = 0;
  // By its key, whether a sequence has been computed already and is not to be refused; asked only for long ones.
  std::function<bool(std::int64_t key)> is_done = {};
  std::optional<ShardSpec> shard = {};
  // What run.precision: auto comes to; nothing leaves it to the devices.
  std::optional<Precision> precision_of_auto = {};
  const StopToken* stop = nullptr;  // of reading the inputs; may be null
};

[[nodiscard]] PreparedJob prepare_job(const Manifest& manifest, const PrepareOptions& options, RunObserver& observer);

// Why a sequence of so many residues and tokens is refused where `longest` tokens fit.
[[nodiscard]] std::string too_long_message(std::int64_t residues, std::int64_t tokens, std::int64_t longest);

// The batches of the rows that are not done, and how they are folded.
[[nodiscard]] JobPlan plan_job(const Manifest& manifest, const PreparedJob& job,
                               const std::function<bool(std::int64_t row)>& is_done,
                               const Interruptions& interruptions);

}  // namespace pleat
