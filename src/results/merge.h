// From the files of shards to the file that one run over all inputs would have written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "core/stop.h"

namespace pleat {

struct MergeOptions {
  bool allow_missing = false;
  bool overwrite = false;
  const StopToken* stop = nullptr;  // may be null
};

struct MergeSummary {
  std::int64_t records = 0;
  std::int64_t sequences = 0;
  std::int64_t file_bytes = 0;
  std::vector<std::int64_t> missing;  // shards
  bool was_there = false;             // the output was this very file
};

// Checks everything before it writes: the parts are whole, made by the same pleat from the same inputs with the same
// model, tasks and precision, are shards of the same N, and each is there once. Then every row goes to its place.
// Memory holds a block of each part and a few numbers a row. Records, sequences and results are those of a run that was
// not divided, bit for bit; what tells of the computation (/records/seconds, attempts, device) comes from the parts,
// `created_utc` is the latest of theirs. The same parts give the same bytes, and a merge whose very file is there
// already changes nothing. Throws Error(missing_input), Error(bad_input) for parts that do not belong together,
// Error(cannot_create), Error(io), Error(retry), or Stopped once `stop` is asked to; then nothing is left under the
// output's name.
MergeSummary merge_results(const std::vector<std::filesystem::path>& parts, const std::filesystem::path& output,
                           const MergeOptions& options);

}  // namespace pleat
