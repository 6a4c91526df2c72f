// Counts what has come out of the pipeline, and tells the observer.
#pragma once

#include <chrono>

#include "runtime/job.h"
#include "runtime/prepare.h"

namespace pleat {

class ProgressCount {
 public:
  // What is passed must outlive the count. Its time starts here.
  ProgressCount(const PreparedJob& job, const JobPlan& plan, RunObserver& observer) : job_(job), observer_(observer) {
    for (const Batch& batch : plan.batches) {
      progress_.sequences += static_cast<std::int64_t>(batch.rows.size());
      progress_.flops += batch.flops;
      for (const std::int64_t row : batch.rows) progress_.residues += job.dataset.sequences.length(row);
    }
    observer_.progress(progress_);
  }

  void add(std::int64_t row) {
    ++progress_.sequences_done;
    progress_.residues_done += job_.dataset.sequences.length(row);
    progress_.flops_done += job_.flops[row];
    progress_.seconds = seconds();
    observer_.progress(progress_);
  }

  [[nodiscard]] const Progress& now() const { return progress_; }
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  const PreparedJob& job_;
  RunObserver& observer_;
  Progress progress_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace pleat
