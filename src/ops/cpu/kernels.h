// The inner loops of ops/ on a processor, one table of functions per instruction set.
#pragma once

#include <cstdint>
#include <vector>

#include "pair_kernels.h"

namespace pleat::cpu {

// How the elements of an activation lie in memory; arithmetic is always in float.
enum class Element : std::uint8_t { float32, bfloat16 };

// One head of one sequence: softmax(q k^T) v, with rotary positions applied to q and k.
struct AttentionHead {
  const void* q = nullptr;  // first element of this head in token 0 of the sequence; k and v likewise
  const void* k = nullptr;
  const void* v = nullptr;
  std::int64_t row_stride = 0;  // elements from one token to the next, for q, k and v
  void* out = nullptr;          // first element of this head in token 0 of the sequence
  std::int64_t out_stride = 0;
  Element element = Element::float32;  // of q, k, v and out
  std::int64_t length = 0;             // tokens in the sequence
  std::int64_t head_dim = 0;           // even
  const float* cos = nullptr;          // [length, head_dim / 2]
  const float* sin = nullptr;
  float scale = 1;  // of q, before the rotation
};

// What attention keeps between calls so that it allocates nothing in its inner loops. One per thread.
struct AttentionScratch {
  std::vector<float> q;       // one tile of queries
  std::vector<float> k;       // all keys of a head, transposed panel by panel
  std::vector<float> v;       // all values of a head
  std::vector<float> scores;  // one tile of queries against all keys
  std::vector<float> out;     // one tile of results
  std::int64_t score_stride = 0;
};

struct Kernels {
  const char* name;
  // Rounds, rotates and lays out k and v of a head in `scratch`, for the calls of attention_tile that follow.
  void (*pack_keys_values)(const AttentionHead& head, AttentionScratch& scratch);
  // Queries [q_begin, q_begin + tile), tile <= attention_tile_rows: writes their rows of out and leaves their softmax
  // in scratch.scores, one row every scratch.score_stride.
  void (*attention_tile)(const AttentionHead& head, std::int64_t q_begin, std::int64_t tile, AttentionScratch& scratch);
  // residual[i] += update[i] (skipped where update is null), then out = layer_norm(residual) * weight + bias.
  void (*add_layer_norm)(float* residual, const void* update, Element update_element, const float* weight,
                         const float* bias, float eps, std::int64_t width, void* out, Element out_element);
  PairKernels pair;
};

inline constexpr std::int64_t attention_tile_rows = 32;

extern const Kernels baseline_kernels;
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;

// The tables this processor can run, the fastest first.
const std::vector<const Kernels*>& usable_kernels();

// The table in use: the fastest, unless a test has chosen another one.
const Kernels& kernels();
void use_kernels(const Kernels& table);

}  // namespace pleat::cpu
