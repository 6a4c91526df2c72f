// One head of attention on the processor.
#pragma once

#include <cstdint>

#include "ops/cpu/element.h"
#include "ops/cpu/scratch.h"

namespace pleat::cpu {

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

inline constexpr std::int64_t attention_tile_rows = 32;

// What attention keeps between calls so that it allocates nothing in its inner loops. One per thread.
struct AttentionScratch {
  Scratch q;       // one tile of queries
  Scratch k;       // all keys of a head, transposed panel by panel
  Scratch v;       // all values of a head
  Scratch scores;  // one tile of queries against all keys
  Scratch out;     // one tile of results
  std::int64_t score_stride = 0;
  float inverse[attention_tile_rows] = {};  // 1 / the sum of a query's scores
};

}  // namespace pleat::cpu
