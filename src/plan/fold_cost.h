// What folding costs beside the language-model pass: written models of its arithmetic and of its memory. P = positions:
// residues and the linkers between chains; C = the pair state's width, S = the sequence state's.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/cost.h"
#include "weights/fold_config.h"

namespace pleat {

// Floating-point operations of the folding trunk's blocks in one pass over P positions. A block does
//   12 C P^3                                  triangular multiplications and attentions
//   (62 C^2 + 2 C H + 4 C Hc + 4 S) P^2       H heads over the sequence, Hc over the pairs
//   (26 S^2 + 2 S C) P
// 73,728 P^3 + 4.94e7 P^2 + 1.32e9 P for esmfold_v1.
[[nodiscard]] double trunk_flops(const TrunkConfig& trunk, std::int64_t positions);

// The same of the structure module: invariant point attention, transitions and the angle resnet of its blocks.
[[nodiscard]] double structure_module_flops(const StructureModuleConfig& config, std::int64_t positions);

// All passes of a fold.
[[nodiscard]] double fold_flops(const FoldConfig& config, std::int64_t positions, std::int64_t passes);

// Bytes at the peak of a fold of P positions when a triangular multiplication holds `chunk` of the C channels at once,
// 1 <= chunk <= C, on `threads` threads, plan_on_gpu, or plan_by_kernels, where `chunk` does not count. Of each pair of
// positions `kept` numbers are stored beside the aligned error. The weights and the language-model pass are not in it.
[[nodiscard]] double fold_bytes(const FoldConfig& config, std::int64_t positions, std::int64_t chunk,
                                std::int64_t threads, std::int64_t kept = 0);

// Whether our kernels for GPUs do the operations on pairs of such a model, in 16 bits.
[[nodiscard]] bool has_pair_kernels(const TrunkConfig& trunk);

// The chunks worth choosing, largest first: C, which keeps no product beside the factors, and the multiples of 16 below
// C / 2.
[[nodiscard]] std::vector<std::int64_t> fold_chunks(const FoldConfig& config);
// The largest of them with which a fold of P positions fits in `bytes`; the smallest, which needs least, where none
// does.
[[nodiscard]] std::int64_t largest_chunk(const FoldConfig& config, std::int64_t positions, double bytes,
                                         std::int64_t threads, std::int64_t kept = 0);
[[nodiscard]] std::int64_t smallest_chunk(const FoldConfig& config);

// The begin and the end token, which the language model sees and folding does not.
inline constexpr std::int64_t end_tokens = 2;

// The most positions whose language-model pass and fold fit together in `bytes`.
[[nodiscard]] std::int64_t longest_that_folds(const FoldConfig& config, const ModelShape& language_model,
                                              const KeptOutputs& kept, std::int64_t chunk, double bytes,
                                              std::int64_t threads, std::int64_t kept_pairs = 0);

}  // namespace pleat
