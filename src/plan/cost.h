// What a sequence costs: written models of the arithmetic and of the memory of a language-model pass.
#pragma once

#include <cstdint>
#include <functional>

namespace pleat {

// The sizes that costs depend on.
struct ModelShape {
  std::int64_t width = 0;  // D
  std::int64_t layers = 0;
  std::int64_t heads = 0;
  std::int64_t intermediate_size = 0;  // F
};

// Floating-point operations for one sequence of `tokens`: its linear layers, 2 (4 D^2 + 2 D F) a token and layer, and
// its attention, 4 tokens^2 D a layer.
[[nodiscard]] double forward_flops(const ModelShape& shape, std::int64_t tokens);

// What is kept of a pass, for the memory model.
struct KeptOutputs {
  std::int64_t hidden_layers = 0;
  bool logits = false;
  bool contacts = false;
  bool mixture = false;  // of all hidden states, for folding
  std::int64_t attention_layers = 0;
};

// In place of a number of threads: on a GPU, which takes a batch whole instead of in blocks of rows.
inline constexpr std::int64_t plan_on_gpu = 0;
// The same where the operations on pairs are done by kernels of our own, see has_pair_kernels().
inline constexpr std::int64_t plan_by_kernels = -1;

// Bytes of activations at the peak of a float32 pass over `tokens` in all, of which the longest sequence has `longest`,
// with `threads` threads, plan_on_gpu or plan_by_kernels. The weights are not in it.
[[nodiscard]] double activation_bytes(const ModelShape& shape, const KeptOutputs& kept, std::int64_t tokens,
                                      std::int64_t longest, std::int64_t threads);

// Bytes of the weights in memory: those of the linear layers, with elements of `element_bytes`. The rest is small.
[[nodiscard]] double weight_bytes(const ModelShape& shape, std::int64_t element_bytes);

// The largest number whose cost is at most `limit`; `cost` must not fall. 0 where that of 1 is more already.
[[nodiscard]] std::int64_t largest_within(double limit, const std::function<double(std::int64_t)>& cost);

// The largest number of tokens of a single sequence whose activations fit in `bytes`.
[[nodiscard]] std::int64_t longest_that_fits(const ModelShape& shape, const KeptOutputs& kept, double bytes,
                                             std::int64_t threads);

}  // namespace pleat
