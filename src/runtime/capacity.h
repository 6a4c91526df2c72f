// What this machine's memory holds beside the weights, and how much of it each device may take.
#pragma once

#include <ATen/core/ScalarType.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "machine/devices.h"
#include "manifest/manifest.h"
#include "plan/batches.h"
#include "plan/cost.h"
#include "results/result_writer.h"
#include "weights/config.h"

namespace pleat {

class Capacity {
 public:
  // For so many devices: workers on the processor, or on one GPU, share memory and weights. Throws Error(retry)
  // where not even the weights fit.
  Capacity(const Manifest& manifest, const ModelConfig& config, const ResultLayout& layout, at::ScalarType precision,
           const DeviceChoice& devices);

  // Of each device.
  [[nodiscard]] std::int64_t threads() const { return std::max<std::int64_t>(1, threads_); }
  [[nodiscard]] double bytes() const { return bytes_; }
  // What one sequence of so many tokens needs at the least, on one device.
  [[nodiscard]] double bytes_for(std::int64_t tokens) const;

  // Tokens of the longest sequence that can be computed, and folded where that is asked for; then with `chunk`, 0 being
  // what run.chunk_size says, else the smallest.
  [[nodiscard]] std::int64_t longest_tokens(std::int64_t chunk = 0) const;
  // Bytes of the weights.
  [[nodiscard]] double weights() const { return weights_; }
  // What a device needs at its peak for these batches beside the weights, where no pass of several sequences has more
  // than `most_tokens`; the second, of folding with a chunk size.
  [[nodiscard]] double peak_of(const std::vector<Batch>& batches, const std::vector<std::int64_t>& tokens,
                               std::int64_t most_tokens) const;
  [[nodiscard]] double fold_peak(const std::vector<Batch>& batches, const std::vector<std::int64_t>& tokens,
                                 std::int64_t chunk) const;
  // FoldRequest::chunk_size for a run with these batches: what run.chunk_size says, else as many channels as fit.
  [[nodiscard]] std::int64_t chunk_size(const std::vector<Batch>& batches,
                                        const std::vector<std::int64_t>& tokens) const;

 private:
  struct Largest {
    std::int64_t batch = 0;     // tokens
    std::int64_t sequence = 0;  // tokens
  };
  [[nodiscard]] static Largest largest_of(const std::vector<Batch>& batches, const std::vector<std::int64_t>& tokens);

  ModelConfig config_;
  ModelShape shape_;
  KeptOutputs kept_;
  std::int64_t kept_pairs_;  // as in fold_bytes()
  std::int64_t threads_;     // plan_on_gpu or plan_by_kernels on one
  double weights_ = 0;
  double bytes_ = 0;              // for a device's activations
  std::int64_t given_chunk_ = 0;  // 0 = automatic
};

[[nodiscard]] ModelShape shape_of(const Esm2Config& config);

}  // namespace pleat
