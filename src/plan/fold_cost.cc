#include "plan/fold_cost.h"

#include <algorithm>
#include <vector>

namespace pleat {
namespace {

constexpr std::int64_t chunk_step = 16;

double as_double(std::int64_t number) { return static_cast<double>(number); }

double square(double number) { return number * number; }

// The chunks to choose from, largest first. Half the channels and more save nothing, see fold_bytes().
// Multiply-adds of the linear layers and of the attention of one block of the structure module, for one position and
// for one pair of positions.
struct StructureBlockProducts {
  double position;
  double pair;
};

StructureBlockProducts products_of(const StructureModuleConfig& config) {
  const double width = as_double(config.sequence_dim);
  const double heads = as_double(config.num_heads_ipa);
  const double scalars = as_double(config.ipa_dim);
  const double query_points = as_double(config.num_qk_points);
  const double value_points = as_double(config.num_v_points);
  const double pair = as_double(config.pairwise_dim);
  const double resnet = as_double(config.resnet_dim);
  // Queries, keys and values as scalars and as points of three coordinates; what is attended to, with its points'
  // lengths, and the pairs; then the transition, the backbone's update and the angles.
  const double projections = width * heads * (3 * scalars + 3 * (2 * query_points + value_points)) +
                             heads * (pair + scalars + 4 * value_points) * width;
  const double transition = 3 * as_double(config.num_transition_layers) * square(width) + 6 * width;
  const double angles = 2 * width * resnet + 2 * as_double(config.num_resnet_blocks) * square(resnet) +
                        2 * as_double(config.num_angles) * resnet;
  return {projections + transition + angles, heads * (2 * pair + 2 * scalars + 3 * (query_points + value_points))};
}

// Elements for each pair of positions that the structure module holds: its pair representation, and per head the bias,
// the scores and two more on the way to them.
double structure_module_pairs(const StructureModuleConfig& config) {
  return as_double(config.pairwise_dim + 4 * config.num_heads_ipa);
}

// The same of our kernels, which keep what is between them in 16 bits: three planes of a channel, whose rows and
// columns are filled up to a multiple of eight; or queries, keys, values and what was attended to, and a bias.
double kernel_pairs(const TrunkConfig& trunk, std::int64_t positions) {
  const double c = as_double(trunk.pairwise_state_dim);
  const double side = as_double((positions + 7) / 8 * 8) / as_double(positions);
  const double multiplication = 3 * c * square(side) / 2;
  const double attention = (4 * c + as_double(trunk.pairwise_heads()) * side) / 2;
  return std::max(multiplication, attention);
}

}  // namespace

bool has_pair_kernels(const TrunkConfig& trunk) {
  return trunk.pairwise_state_dim == 128 && trunk.pairwise_head_width == 32;
}

double trunk_flops(const TrunkConfig& trunk, std::int64_t positions) {
  const double p = as_double(positions);
  const double c = as_double(trunk.pairwise_state_dim);
  const double s = as_double(trunk.sequence_state_dim);
  const double pair_heads = as_double(trunk.pairwise_heads());
  const double heads = as_double(trunk.sequence_heads());
  const double cubic = 12 * c;
  const double quadratic = 62 * square(c) + 2 * c * heads + 4 * c * pair_heads + 4 * s;
  const double linear = 26 * square(s) + 2 * s * c;
  return as_double(trunk.num_blocks) * (cubic * p * p * p + quadratic * p * p + linear * p);
}

double structure_module_flops(const StructureModuleConfig& config, std::int64_t positions) {
  const double p = as_double(positions);
  const StructureBlockProducts products = products_of(config);
  return 2 * as_double(config.num_blocks) * (products.position * p + products.pair * p * p);
}

double fold_flops(const FoldConfig& config, std::int64_t positions, std::int64_t passes) {
  return as_double(passes) *
         (trunk_flops(config.trunk, positions) + structure_module_flops(config.trunk.structure_module, positions));
}

double fold_bytes(const FoldConfig& config, std::int64_t positions, std::int64_t chunk, std::int64_t threads,
                  std::int64_t kept) {
  constexpr double element = 4;
  // On their way to the writer: one sequence collected, one in the queue, one being written.
  constexpr double in_transit = 3;
  const TrunkConfig& trunk = config.trunk;
  const double p = as_double(positions);
  const double c = as_double(trunk.pairwise_state_dim);

  // Elements for each pair of positions. A triangular multiplication holds both factors of a chunk, and the product of
  // all channels unless it can take a factor's place; their rows are padded. Triangular attention has its bias there.
  // The blocks keep that memory while the sequence's attention makes its own bias; the structure module comes later.
  const double row = as_double((positions + 15) / 16 * 16 + 16);
  const double multiplication = (2 * as_double(chunk) + (chunk < trunk.pairwise_state_dim ? c : 0)) * row / p;
  const double blocks = std::max(multiplication, as_double(trunk.pairwise_heads())) + as_double(trunk.sequence_heads());
  double step = std::max(blocks, structure_module_pairs(trunk.structure_module));
  double transient = 0;
  if (threads <= plan_on_gpu) {
    // The product of all channels has a place of its own. Rows pass through in blocks of at most 2^24 elements, some of
    // which exist at a time, and of at least one row.
    constexpr double block = 1 << 24;
    const double pairs_at_once = threads == plan_by_kernels ? kernel_pairs(trunk, positions) : 2 * as_double(chunk) + c;
    step = std::max({pairs_at_once, as_double(trunk.sequence_heads()), structure_module_pairs(trunk.structure_module)});
    transient = 10 * element * std::max(block, 4 * c * p);
  }
  // The pair state; 64-bit bins and two sets of distances for recycling; the aligned error; and what is kept of pairs
  // beside it, as it was computed and without linkers.
  const double pairs = c + step + 2 + 2 + 1 + in_transit + as_double(kept) * (2 + in_transit);

  // The sequence state, as it was at the start, normed, with queries, keys, values, gate and context, and the four
  // times wider transition.
  const double sequence = 14 * as_double(trunk.sequence_state_dim);
  // Of a thread: states, queries, keys and values of a line of pairs, and a plane of a triangular product's factor.
  const double scratch = element * p * (12 * as_double(trunk.pairwise_head_width) + 2 * c + p + 8) + 4.0 * 1024 * 1024;
  return element * (pairs * p * p + sequence * p) + as_double(std::max<std::int64_t>(threads, 0)) * scratch + transient;
}

std::vector<std::int64_t> fold_chunks(const FoldConfig& config) {
  const std::int64_t channels = config.trunk.pairwise_state_dim;
  std::vector<std::int64_t> chunks{channels};
  for (std::int64_t chunk = (channels - 1) / 2 / chunk_step * chunk_step; chunk > 0; chunk -= chunk_step) {
    chunks.push_back(chunk);
  }
  return chunks;
}

std::int64_t largest_chunk(const FoldConfig& config, std::int64_t positions, double bytes, std::int64_t threads,
                           std::int64_t kept) {
  const std::vector<std::int64_t> chunks = fold_chunks(config);
  const auto fits = [&](std::int64_t chunk) { return fold_bytes(config, positions, chunk, threads, kept) <= bytes; };
  const auto found = std::ranges::find_if(chunks, fits);
  return found == chunks.end() ? chunks.back() : *found;
}

std::int64_t smallest_chunk(const FoldConfig& config) { return fold_chunks(config).back(); }

std::int64_t longest_that_folds(const FoldConfig& config, const ModelShape& language_model, const KeptOutputs& kept,
                                std::int64_t chunk, double bytes, std::int64_t threads, std::int64_t kept_pairs) {
  return largest_within(bytes, [&](std::int64_t positions) {
    const std::int64_t tokens = positions + end_tokens;
    return activation_bytes(language_model, kept, tokens, tokens, threads) +
           fold_bytes(config, positions, chunk, threads, kept_pairs);
  });
}

}  // namespace pleat
