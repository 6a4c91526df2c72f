// One run, from a manifest to a result file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/stop.h"
#include "engine/device.h"
#include "manifest/manifest.h"
#include "plan/batches.h"
#include "plan/shards.h"
#include "sequence/input_file.h"

namespace pleat {

// How far a run has come.
struct Progress {
  std::int64_t sequences_done = 0;  // unique sequences
  std::int64_t sequences = 0;
  std::int64_t residues_done = 0;
  std::int64_t residues = 0;
  double flops_done = 0;  // by the cost model; time left follows from it
  double flops = 0;
  double seconds = 0;  // since the first batch was given out
};

// Hears what happens during a run. Calls come from one thread at a time.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  // An event worth a log line: the model was loaded, the inputs were read.
  virtual void info(const std::string& line) = 0;
  virtual void warning(const std::string& line) = 0;
  virtual void progress(const Progress& progress) = 0;
};

// Hears nothing.
class Silence : public RunObserver {
 public:
  void info(const std::string& /*line*/) override {}
  void warning(const std::string& /*line*/) override {}
  void progress(const Progress& /*progress*/) override {}
};

struct RunSettings {
  bool overwrite = false;
  std::filesystem::path work_folder;  // empty = beside the output
  // Of the results of earlier runs; empty = none is used.
  std::filesystem::path cache_folder;
  std::string pleat_version;
  std::string source_revision;
  std::shared_ptr<const StopToken> stop;  // may be null
  std::optional<ShardSpec> shard;         // compute only this part of the inputs
  bool restart = false;                   // forget what an earlier run has left in the work folder
  double max_seconds = 0;                 // from the start of the process; 0 = no limit
  // In which order sequences are computed; empty = as suits the devices. By row, the file is assembled during the run.
  std::optional<BatchOrder> order;
  // Puts something between the engine and each device, for tests of what devices may do; usually empty.
  std::function<std::shared_ptr<Device>(std::shared_ptr<Device>)> wrap_device;
};

struct RunSummary {
  std::filesystem::path output;
  std::vector<InputReport> inputs;
  std::int64_t file_bytes = 0;
  std::int64_t records = 0;
  std::int64_t ok = 0;
  std::int64_t rejected = 0;
  std::int64_t failed = 0;
  std::int64_t skipped = 0;
  std::int64_t earlier_sequences = 0;  // unique ones that an earlier run had computed
  std::int64_t cached_sequences = 0;   // unique ones that were in the cache
  std::int64_t sequences = 0;          // unique ones that were to be computed
  std::int64_t residues = 0;           // in them
  std::int64_t tokens = 0;
  double seconds_total = 0;
  double seconds_startup = 0;  // from the start of the process to the first batch
  double seconds_forward = 0;  // from the first batch given out to the last result taken
  double seconds_finish = 0;   // putting the file together
  std::int64_t peak_rss_bytes = 0;
  std::int64_t linear_flops_per_token = 0;
  // Where variants of a table are scored; in a shard, of all shards.
  std::int64_t variants = 0;
  std::int64_t variants_refused = 0;
  // Of the records that are complexes, where interfaces were asked for:
  std::int64_t complexes = 0;
  double mean_iptm = 0;
  double best_iptm = 0;
  std::string best_complex;  // its id
  // Where structures were asked for:
  std::int64_t sequences_folded = 0;
  std::int64_t positions_folded = 0;  // their residues and the linkers between chains
  std::int64_t fold_chunk_size = 0;   // channels that a triangular multiplication held at once
  double seconds_folding = 0;         // of seconds_forward; the rest is the language model's
  double fold_flops = 0;              // of the passes that were computed, by the cost model
  std::filesystem::path structures;   // the folder of tasks.structure.formats; empty without it
  std::int64_t structure_files = 0;   // in it
  std::string model;
  std::string precision;
  bool untrained = false;
};

// Goes on with what an earlier run of the same manifest has left. Throws Error, also where the time
// of the run is over, or Stopped; then no file is left under
// the output's name, and what was computed stays in the work folder. A device that hangs leaves a thread behind: the
// process must then end without destroying what that thread may use.
[[nodiscard]] RunSummary run_job(const Manifest& manifest, const RunSettings& settings, RunObserver& observer);

}  // namespace pleat
