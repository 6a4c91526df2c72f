// Results by what they were computed from, kept for later runs of whatever inputs: one file per sequence, in a folder
// that any number of runs and machines use at once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "journal/run_identity.h"
#include "results/result_writer.h"
#include "sequence/dataset.h"

namespace pleat {

// What became of a run's use of its cache, for its summary.
struct CacheCounts {
  std::int64_t found = 0;
  std::int64_t kept = 0;
  std::int64_t damaged = 0;   // files whose checksum or size is wrong; they count as not there, and are replaced
  std::int64_t not_kept = 0;  // because the disk failed or is full; nothing but the cache lacks them
  std::string why_not_kept;   // the first such reason
};

class ResultCache {
 public:
  // Makes the folder where needed, and removes what writers that died have left there a day ago or more. One that
  // cannot be written is used for what it holds. `same`: everything that decides the numbers but the sequence: model
  // hash, tasks, precision, version. Throws Error(cannot_create).
  ResultCache(std::filesystem::path folder, ResultLayout layout, const NamedValues& same);

  // The result of that sequence, with device "cache", no attempt and no seconds. Nothing where there is none, or no
  // whole one. One thread at a time, as for keep().
  [[nodiscard]] std::optional<SequenceResult> find(const SequenceTable& sequences, std::int64_t row);
  // Keeps a result, its note too, unless it failed or was computed in a lower precision than asked for. Throws nothing
  // when the disk fails: counts() tells.
  void keep(const SequenceTable& sequences, const SequenceResult& result);

  [[nodiscard]] const CacheCounts& counts() const { return counts_; }

 private:
  struct Entry {
    std::string head;  // the first line of its file
    std::filesystem::path file;
  };
  [[nodiscard]] Entry entry_of(const SequenceTable& sequences, std::int64_t row) const;
  void write(const Entry& entry, const SequenceResult& result);

  std::filesystem::path folder_;
  ResultLayout layout_;
  NamedValues same_;
  std::string writer_;  // part of the names of temporary files, one of its own for each writer
  CacheCounts counts_;
};

}  // namespace pleat
