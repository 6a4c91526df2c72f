// Where the results of a run go, and what is there before the first one is computed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/stop.h"
#include "plan/interruptions.h"
#include "results/result_cache.h"
#include "runtime/job.h"
#include "runtime/model_hash.h"
#include "runtime/prepare.h"
#include "runtime/result_files.h"

namespace pleat {

// One run, as all of its steps see it.
struct RunContext {
  const Manifest& manifest;
  const RunSettings& settings;
  const PreparedJob& job;
  std::shared_ptr<const StopToken> stop;
  std::string created_utc;
  RunObserver& observer;
};

class RunResults {
 public:
  // Opens the files. `weights` is Checkpoint::sample(); `context` must outlive this object. Throws like ResultFiles.
  RunResults(const RunContext& context, const std::string& weights);

  // What need not be computed, to be called in this order before a plan is made. All throw Stopped and what
  // ResultFiles::add() throws.
  void take_up_earlier();
  void take_from_cache(const ModelHash& model_hash);  // waits for the hash; does nothing without a cache
  void refuse_what_no_longer_fits();                  // results of a run with more memory that turned out damaged

  [[nodiscard]] ResultFiles& files() { return files_; }
  [[nodiscard]] ResultCache* cache() { return cache_ ? &*cache_ : nullptr; }
  [[nodiscard]] Interruptions interruptions();

  // Of a finished run.
  void tell_of_outcomes();
  // Of a run that ends without its file. `under_way`: the rows that are being computed.
  void tell_what_is_kept(const std::vector<std::int64_t>& under_way) noexcept;

 private:
  [[nodiscard]] const SequenceTable& sequences() const { return context_.job.dataset.sequences; }

  const RunContext& context_;
  ResultFiles files_;
  std::optional<ResultCache> cache_;
};

}  // namespace pleat
