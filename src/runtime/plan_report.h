// What a run would do, without doing it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "manifest/manifest.h"
#include "plan/shards.h"
#include "sequence/input_file.h"

namespace pleat {

struct PlanReport {
  std::string model;
  std::string precision;
  std::string precision_text;  // for people: also whether it was chosen for them
  std::int64_t devices = 1;
  std::int64_t threads = 1;  // of each

  std::vector<InputReport> inputs;
  std::vector<std::string> warnings;  // of inputs without records
  std::int64_t records = 0;
  std::optional<std::int64_t> parts;             // where the records are complexes: of how many records of the inputs
  std::map<std::string, std::int64_t> rejected;  // records by error code
  std::map<std::string, std::int64_t> noted;     // accepted ones by the code of their note
  std::int64_t sequences = 0;                    // unique ones that fit
  std::int64_t residues = 0;                     // in them
  std::int64_t longest = 0;                      // residues
  // Unique sequences that do not fit into memory, and the longest that would.
  std::int64_t too_long = 0;
  std::int64_t longest_that_fits = 0;

  // Of a table of variants: its rows, and those that cannot be scored.
  std::int64_t variants = 0;
  std::int64_t variants_refused = 0;

  std::int64_t model_tokens = 0;  // that the language model computes, in all passes over all sequences
  std::int64_t batches = 0;
  std::int64_t tokens_per_batch = 0;
  double flops = 0;
  double dearest_batch_flops = 0;

  double free_bytes = 0;  // of memory, now
  double weight_bytes = 0;
  double activation_bytes = 0;  // of each device, at the peak
  // How a fold of the longest sequence that fits could be done, the most memory first; empty where nothing is folded.
  struct Chunk {
    std::int64_t chunk_size = 0;
    double bytes = 0;          // of each device, at the peak
    std::int64_t longest = 0;  // residues of a sequence that fits with it
    bool chosen = false;
  };
  std::vector<Chunk> chunks;

  double attention_bytes = 0;  // of result_bytes, those of attention maps
  double result_bytes = 0;     // before compression: the work folder's size, and more than the file's
  double free_disk_bytes = 0;  // where `output` and its work folder are to be; -1 where nobody knows

  // Each shard's share of the cost of all, where shards were asked for.
  std::optional<ShardSpec> shard;
  double shard_flops = 0;
  double shard_spread = 0;  // the most expensive less the cheapest, over their mean
};

// Reads the inputs and config.json, no weights; takes 24 bytes a record. `shard` only measures how even shards are.
// Throws what run_job() would throw before it computes.
[[nodiscard]] PlanReport make_plan_report(const Manifest& manifest, const std::optional<ShardSpec>& shard);

}  // namespace pleat
