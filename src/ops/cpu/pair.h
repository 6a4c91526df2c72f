// What the inner loops of the pair representation work on, and in which memory. All matrices are float32.
//
// "Panels": a matrix [depth, columns] cut into blocks of panel_width columns, each [depth, panel_width] and filled up
// with zeros; see pack_panels. A "run" is a number of pairs whose states lie `stride` floats apart: consecutive pairs
// of a row of the pair state (stride C) or of a column (stride L * C).
#pragma once

#include <cstdint>

#include "ops/cpu/scratch.h"

namespace pleat::cpu {

inline constexpr std::int64_t run_length = 64;  // pairs in a run, at most

// Floats that a head's queries, or values, take in a row: whole registers of every instruction set.
constexpr std::int64_t padded_head_dim(std::int64_t head_dim) { return (head_dim + 15) / 16 * 16; }

struct PairScratch {
  Scratch rows;      // normalised states of a run, as they lie
  Scratch columns;   // the same, channel by channel
  Scratch product;   // results on their way
  Scratch keys;      // of one head, in panels
  Scratch queries;   // of one head
  Scratch values;    // of one head
  Scratch scores;    // a few queries against all keys
  Scratch gathered;  // what attention gives, all heads
};

struct Run {
  float* z = nullptr;  // the first pair's state, [C]
  std::int64_t stride = 0;
  std::int64_t count = 0;  // at most run_length
};

struct Norm {
  const float* weight = nullptr;  // [C]
  const float* bias = nullptr;
  float eps = 1e-5F;
};

// A weight [out, in] as panels of its transpose, [in, out].
std::int64_t panel_floats(std::int64_t depth, std::int64_t columns);
void pack_panels(const float* weight, std::int64_t depth, std::int64_t columns, float* panels);

}  // namespace pleat::cpu
