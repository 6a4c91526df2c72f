// Runs of pairs in registers: what the kernels of the operations on a pair representation share. Included by the source
// files that are compiled once for each instruction set, see vector.h.
#pragma once

#include <utility>

#include "ops/cpu/multiply.h"
#include "ops/cpu/pair.h"
#include "ops/cpu/vector.h"

namespace pleat::cpu {
namespace {

static_assert(run_length == panel_width);

inline void store_some(float* to, Vector v, std::int64_t count) {
  if (count >= W) {
    store(to, v);
  } else {
    float lanes[W];
    store(lanes, v);
    for (std::int64_t i = 0; i < count; ++i) to[i] = lanes[i];
  }
}

inline Vector load_some(const float* from, std::int64_t count) {
  if (count >= W) return load(from);
  float lanes[W] = {};
  for (std::int64_t i = 0; i < count; ++i) lanes[i] = from[i];
  return load(lanes);
}

inline void add_some(float* to, Vector v, std::int64_t count) { store_some(to, load_some(to, count) + v, count); }

// Exchanges the blocks of `step` lanes above and below the diagonal in W registers of W lanes.
template <std::int64_t step, std::int64_t... lane>
[[gnu::always_inline]] inline void exchange(Vector (&v)[W], std::integer_sequence<std::int64_t, lane...> /*lanes*/) {
  for (std::int64_t i = 0; i < W; ++i) {
    if ((i & step) != 0) continue;
    const Vector a = v[i];
    const Vector b = v[i + step];
    v[i] = __builtin_shufflevector(a, b, ((lane & step) != 0 ? W + lane - step : lane)...);
    v[i + step] = __builtin_shufflevector(a, b, ((lane & step) != 0 ? W + lane : lane + step)...);
  }
}

// to[c, r] = from[r, c] of a block of W by W.
inline void transpose_block(const float* from, std::int64_t from_stride, float* to, std::int64_t to_stride) {
  Vector v[W];
  for (std::int64_t i = 0; i < W; ++i) v[i] = load(from + i * from_stride);
  constexpr auto lanes = std::make_integer_sequence<std::int64_t, W>();
  exchange<1>(v, lanes);
  exchange<2>(v, lanes);
  if constexpr (W >= 8) exchange<4>(v, lanes);
  if constexpr (W >= 16) exchange<8>(v, lanes);
  for (std::int64_t i = 0; i < W; ++i) store(to + i * to_stride, v[i]);
}

// rows [count, width] -> columns [width, run_length], count <= run_length. Lanes from count on hold what they held.
inline void transpose_run(const float* rows, std::int64_t row_stride, std::int64_t count, std::int64_t width,
                          float* columns) {
  const std::int64_t whole_rows = count / W * W;
  const std::int64_t whole_width = width / W * W;
  for (std::int64_t r = 0; r < whole_rows; r += W) {
    for (std::int64_t c = 0; c < whole_width; c += W) {
      transpose_block(rows + r * row_stride + c, row_stride, columns + c * run_length + r, run_length);
    }
    for (std::int64_t c = whole_width; c < width; ++c) {
      for (std::int64_t i = r; i < r + W; ++i) columns[c * run_length + i] = rows[i * row_stride + c];
    }
  }
  for (std::int64_t r = whole_rows; r < count; ++r) {
    for (std::int64_t c = 0; c < width; ++c) columns[c * run_length + r] = rows[r * row_stride + c];
  }
}

// first[k] * second[r, k] of a job's inner channels -> rows [count, inner].
template <class Job>
float* outer_products(const Run& run, const Job& job, PairScratch& scratch) {
  float* const rows = scratch.rows.need(run_length * job.inner);
  for (std::int64_t r = 0; r < run.count; ++r) {
    const float* const second = job.second + r * job.second_stride;
    for (std::int64_t k = 0; k < job.inner; ++k) rows[r * job.inner + k] = job.first[k] * second[k];
  }
  return rows;
}

// LN of each pair of a run -> rows [count, C].
inline void normalise_run(const Run& run, std::int64_t channels, const Norm& norm, float* rows) {
  for (std::int64_t r = 0; r < run.count; ++r) {
    const float* z = run.z + r * run.stride;
    scale_row(z, moments_of(z, channels, norm.eps), norm.weight, norm.bias, channels, rows + r * channels);
  }
}

// The same, channel by channel -> columns [C, run_length]. Lanes from count on are zero.
inline float* normalise_columns(const Run& run, std::int64_t channels, const Norm& norm, PairScratch& scratch) {
  float* const rows = scratch.rows.need(run_length * channels);
  float* const columns = scratch.columns.need(run_length * channels);
  normalise_run(run, channels, norm, rows);
  if (run.count < run_length) std::fill(columns, columns + run_length * channels, 0.0F);
  transpose_run(rows, channels, run.count, channels, columns);
  return columns;
}

}  // namespace
}  // namespace pleat::cpu
