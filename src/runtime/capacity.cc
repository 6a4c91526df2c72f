#include "runtime/capacity.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "core/error.h"
#include "core/size_text.h"
#include "esmfold/tensors.h"
#include "machine/machine.h"
#include "plan/fold_cost.h"
#include "plan/scoring_cost.h"

namespace pleat {
namespace {

// Of the memory that is free at the start, how much activations may take; the rest is for the weights' transit, the
// page cache and other programs.
constexpr double memory_share = 0.8;
// What the libraries, the threads' stacks and the heap's own slack take besides.
constexpr double memory_reserve = 256e6;

// The same of a GPU's memory: the context, cuBLAS's workspaces, and what lies between the allocator's blocks.
constexpr double gpu_memory_reserve = 1.5e9;

// On the processor of all together, on GPUs of the one that has least.
double free_bytes(const DeviceChoice& devices) {
  if (!devices.on_gpu()) return std::max(0.0, available_memory() - memory_reserve);
  const auto least = std::ranges::min_element(devices.gpus, {}, &Gpu::free_bytes);
  return std::max(0.0, least->free_bytes - gpu_memory_reserve);
}

// Bytes of the weights that are loaded.
double loaded_bytes(const ModelConfig& config, bool fold, at::ScalarType precision) {
  double bytes = weight_bytes(shape_of(config.language_model), precision == at::kFloat ? 4 : 2);
  if (!fold) return bytes;
  for (const TensorSpec& spec : esmfold_tensor_specs(config.language_model, config.folding())) {
    double elements = 1;
    for (const std::int64_t size : spec.shape) elements *= static_cast<double>(size);
    bytes += 4 * elements;
  }
  return bytes;
}

// Every GPU that computes in 16 bits has the kernels, unless somebody has switched some off.
std::int64_t way_on_gpu(const ModelConfig& config, const ResultLayout& layout, at::ScalarType precision) {
  const bool all_on = std::getenv("PLEAT_CUDA_WITHOUT") == nullptr;  // NOLINT(concurrency-mt-unsafe)
  const bool by_kernels =
      layout.structure && precision != at::kFloat && all_on && has_pair_kernels(config.folding().trunk);
  return by_kernels ? plan_by_kernels : plan_on_gpu;
}

// Numbers that are stored of each pair of positions beside the aligned error.
std::int64_t kept_of_pairs(const ResultLayout& layout) {
  constexpr std::int64_t bins = 64;
  return (layout.distances ? 2 : 0) + (layout.distance_bins ? bins : 0);
}

}  // namespace

ModelShape shape_of(const Esm2Config& config) {
  return {config.hidden_size, config.num_hidden_layers, config.num_attention_heads, config.intermediate_size};
}

Capacity::Capacity(const Manifest& manifest, const ModelConfig& config, const ResultLayout& layout,
                   at::ScalarType precision, const DeviceChoice& devices)
    : config_(config),
      shape_(shape_of(config.language_model)),
      kept_{static_cast<std::int64_t>(layout.layers.size()),
            layout.logits || ScoringPasses(manifest.tasks.scoring).unmasked, layout.contacts, layout.structure,
            static_cast<std::int64_t>(layout.attention_layers.size())},
      kept_pairs_(kept_of_pairs(layout)),
      threads_(devices.on_gpu() ? way_on_gpu(config, layout, precision)
                                : std::max<std::int64_t>(1, at::get_num_threads() / devices.count())) {
  const double available = free_bytes(devices);
  const double weights = loaded_bytes(config, layout.structure, precision);
  if (weights > available) {
    throw Error(ErrorCode::retry,
                fmt::format("the weights of {} take {} of {}memory, and {} are free", manifest.model,
                            size_text(static_cast<std::uint64_t>(weights)), devices.on_gpu() ? "GPU " : "",
                            size_text(static_cast<std::uint64_t>(std::max(available, 0.0)))),
                "ask for more memory, or take a smaller model");
  }
  weights_ = weights;
  bytes_ = memory_share * (available - weights) / static_cast<double>(devices.sharers());
  if (layout.structure && manifest.run.chunk_size) {
    given_chunk_ = std::min(*manifest.run.chunk_size, config.folding().trunk.pairwise_state_dim);
  }
}

double Capacity::bytes_for(std::int64_t tokens) const {
  const double pass = activation_bytes(shape_, kept_, tokens, tokens, threads_);
  if (!kept_.mixture) return pass;
  const std::int64_t chunk = given_chunk_ > 0 ? given_chunk_ : smallest_chunk(config_.folding());
  return pass + fold_bytes(config_.folding(), tokens - end_tokens, chunk, threads_, kept_pairs_);
}

std::int64_t Capacity::longest_tokens(std::int64_t chunk) const {
  if (!kept_.mixture) return longest_that_fits(shape_, kept_, bytes_, threads_);
  if (chunk == 0) chunk = given_chunk_ > 0 ? given_chunk_ : smallest_chunk(config_.folding());
  const std::int64_t positions =
      longest_that_folds(config_.folding(), shape_, kept_, chunk, bytes_, threads_, kept_pairs_);
  return positions > 0 ? positions + end_tokens : 0;
}

Capacity::Largest Capacity::largest_of(const std::vector<Batch>& batches, const std::vector<std::int64_t>& tokens) {
  Largest largest;
  largest.sequence = end_tokens + 1;
  for (const std::int64_t count : tokens) largest.sequence = std::max(largest.sequence, count);
  largest.batch = largest.sequence;
  for (const Batch& batch : batches) largest.batch = std::max(largest.batch, batch.tokens);
  return largest;
}

std::int64_t Capacity::chunk_size(const std::vector<Batch>& batches, const std::vector<std::int64_t>& tokens) const {
  if (given_chunk_ > 0) return given_chunk_;
  const Largest largest = largest_of(batches, tokens);
  const double left = bytes_ - activation_bytes(shape_, kept_, largest.batch, largest.sequence, threads_);
  return largest_chunk(config_.folding(), largest.sequence - end_tokens, left, threads_, kept_pairs_);
}

double Capacity::fold_peak(const std::vector<Batch>& batches, const std::vector<std::int64_t>& tokens,
                           std::int64_t chunk) const {
  const Largest largest = largest_of(batches, tokens);
  return activation_bytes(shape_, kept_, largest.batch, largest.sequence, threads_) +
         fold_bytes(config_.folding(), largest.sequence - end_tokens, chunk, threads_, kept_pairs_);
}

double Capacity::peak_of(const std::vector<Batch>& batches, const std::vector<std::int64_t>& tokens,
                         std::int64_t most_tokens) const {
  if (kept_.mixture) return fold_peak(batches, tokens, chunk_size(batches, tokens));
  const Largest largest = largest_of(batches, tokens);
  // The tokens of a batch are those of all its passes.
  const std::int64_t at_once = std::max(largest.sequence, std::min(largest.batch, most_tokens));
  return activation_bytes(shape_, kept_, at_once, largest.sequence, threads_);
}

}  // namespace pleat
