// The kernels of the pair representation, written once and included by one source file per instruction set.
#pragma once

#include <utility>

#include "multiply.h"
#include "pair_kernels.h"
#include "vector.h"

namespace pleat::cpu {
namespace {

static_assert(run_length == panel_width);
// Queries whose scores are held at a time.
constexpr std::int64_t query_rows = 24;
// Depth of one step of a triangular product: a panel of b of this depth stays in the first-level cache.
constexpr std::int64_t product_depth = 120;

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

void pair_bias(const Run& run, std::int64_t channels, const Norm& norm, const float* weight, std::int64_t heads,
               float* bias, std::int64_t plane, PairScratch& scratch) {
  const float* const columns = normalise_columns(run, channels, norm, scratch);
  const auto write = [&](std::int64_t h, std::int64_t r, Vector sum) {
    store_some(bias + h * plane + r, sum, run.count - r);
  };
  multiply(heads, run.count, channels, weight, channels, 1, columns, [](auto, auto) { return Vector{}; }, write);
}

void triangle_project(const Run& run, const TriangleProjection& job, std::int64_t first, std::int64_t count,
                      float* const out[2], std::int64_t plane, PairScratch& scratch) {
  const std::int64_t C = job.channels;
  const float* const columns = normalise_columns(run, C, job.norm, scratch);
  for (int half = 0; half < 2; ++half) {
    const float* const weight = job.weight[half] + first * C;
    const float* const gate = job.gate[half] + first * C;
    const float* const bias = job.bias[half] + first;
    const float* const gate_bias = job.gate_bias[half] + first;
    float* const to = out[half];
    for_column_blocks(run.count, [&](auto V, std::int64_t column) {
      for_row_blocks(count, [&](auto M, std::int64_t row) {
        Vector value[M()][V()];
        multiply_tile<M(), V()>(
            C, weight + row * C, C, 1, columns + column, run_length,
            [&](std::int64_t m, std::int64_t) { return splat(bias[row + m]); },
            [&](std::int64_t m, std::int64_t v, Vector sum) { value[m][v] = sum; });
        multiply_tile<M(), V()>(
            C, gate + row * C, C, 1, columns + column, run_length,
            [&](std::int64_t m, std::int64_t) { return splat(gate_bias[row + m]); },
            [&](std::int64_t m, std::int64_t v, Vector sum) {
              store(to + (row + m) * plane + column + v * W, value[m][v] * sigmoid(sum));
            });
      });
    });
  }
}

// a [length, stride] -> blocks of PM columns, each [length, PM], filled up with zeros.
inline void pack_columns(const float* a, std::int64_t length, std::int64_t stride, float* packed) {
  for (std::int64_t first = 0; first < length; first += PM) {
    const std::int64_t count = std::min(PM, length - first);
    for (std::int64_t k = 0; k < length; ++k) {
      for (std::int64_t i = 0; i < PM; ++i) packed[k * PM + i] = i < count ? a[k * stride + first + i] : 0.0F;
    }
    packed += length * PM;
  }
}

void triangle_product(const float* a, const float* b, float* out, std::int64_t length, std::int64_t stride,
                      PairScratch& scratch) {
  float* const left = scratch.rows.need(round_up(length, PM) * length);
  float* const panel = scratch.columns.need(product_depth * panel_width);
  pack_columns(a, length, stride, left);
  for (std::int64_t j = 0; j < length; j += panel_width) {
    const std::int64_t width = std::min(panel_width, length - j);
    for (std::int64_t k = 0; k < length; k += product_depth) {
      const std::int64_t depth = std::min(product_depth, length - k);
      for (std::int64_t d = 0; d < depth; ++d) {
        const float* const row = b + (k + d) * stride + j;
        for (std::int64_t x = 0; x < width; x += W) store(panel + d * panel_width + x, load(row + x));
      }
      for_column_blocks(width, [&](auto V, std::int64_t column) {
        for (std::int64_t i = 0; i < length; i += PM) {
          const std::int64_t rows = std::min(PM, length - i);
          float* const to = out + i * stride + j + column;
          multiply_tile<PM, V()>(
              depth, left + i * length + k * PM, 1, PM, panel + column, panel_width,
              [&](std::int64_t m, std::int64_t v) {
                return k > 0 && m < rows ? load(to + m * stride + v * W) : Vector{};
              },
              [&](std::int64_t m, std::int64_t v, Vector sum) {
                if (m < rows) store(to + m * stride + v * W, sum);
              });
        }
      });
    }
  }
}

// Layer normalisation over the channels of columns [C, run_length], in place.
inline void normalise_over_channels(float* columns, std::int64_t channels, std::int64_t count, const Norm& norm) {
  for (std::int64_t r = 0; r < count; r += W) {
    Vector total = {};
    for (std::int64_t c = 0; c < channels; ++c) total += load(columns + c * run_length + r);
    const Vector mean = total / static_cast<float>(channels);
    Vector squares = {};
    for (std::int64_t c = 0; c < channels; ++c) {
      const Vector d = load(columns + c * run_length + r) - mean;
      squares += d * d;
    }
    const Vector variance = squares / static_cast<float>(channels) + norm.eps;
    Vector inverse;
    for (std::int64_t i = 0; i < W; ++i) inverse[i] = 1.0F / std::sqrt(variance[i]);
    for (std::int64_t c = 0; c < channels; ++c) {
      float* const x = columns + c * run_length + r;
      store(x, (load(x) - mean) * inverse * norm.weight[c] + norm.bias[c]);
    }
  }
}

void triangle_output(const Run& run, const TriangleOutput& job, const float* x, std::int64_t plane,
                     PairScratch& scratch) {
  const std::int64_t C = job.channels;
  const std::int64_t width = round_up(C, W);
  float* const rows = scratch.rows.need(run_length * C);
  float* const columns = scratch.columns.need(run_length * C);
  float* const value = scratch.product.need(run_length * width);
  for (std::int64_t c = 0; c < C; ++c) {
    for (std::int64_t r = 0; r < run.count; r += W) store(columns + c * run_length + r, load(x + c * plane + r));
  }
  normalise_over_channels(columns, C, run.count, job.norm_out);
  multiply(
      run.count, C, C, columns, 1, run_length, job.weight,
      [&](std::int64_t, std::int64_t c) { return load(job.bias + c); },
      [&](std::int64_t r, std::int64_t c, Vector sum) { store(value + r * width + c, sum); });
  normalise_run(run, C, job.norm_in, rows);
  multiply(
      run.count, C, C, rows, C, 1, job.gate, [&](std::int64_t, std::int64_t c) { return load(job.gate_bias + c); },
      [&](std::int64_t r, std::int64_t c, Vector sum) {
        add_some(run.z + r * run.stride + c, load(value + r * width + c) * sigmoid(sum), C - c);
      });
}

// keys, values and queries of one head against each other: out[q, c] for queries [first, first + count) -> write(q, c,
// ..).
template <class Write>
inline void attend_queries(const float* queries, std::int64_t query_stride, const float* keys, const float* values,
                           std::int64_t value_stride, const float* bias, std::int64_t bias_stride,
                           std::int64_t head_dim, std::int64_t length, std::int64_t count, float* scores,
                           const Write& write) {
  const std::int64_t padded = round_up(length, W);
  multiply(
      count, length, head_dim, queries, query_stride, 1, keys,
      [&](std::int64_t r, std::int64_t c) { return load_some(bias + r * bias_stride + c, length - c); },
      [&](std::int64_t r, std::int64_t c, Vector sum) { store(scores + r * padded + c, sum); });
  float inverse[query_rows];
  for (std::int64_t r = 0; r < count; ++r) inverse[r] = exp_row(scores + r * padded, length, padded);
  for_column_blocks(head_dim, [&](auto V, std::int64_t column) {
    for_row_blocks(count, [&](auto M, std::int64_t row) {
      multiply_tile<M(), V()>(
          length, scores + row * padded, padded, 1, values + column, value_stride, from_zero,
          [&](std::int64_t m, std::int64_t v, Vector sum) { write(row + m, column + v * W, sum * inverse[row + m]); });
    });
  });
}

void triangle_attention(const TriangleAttentionRow& job, PairScratch& scratch) {
  const std::int64_t C = job.channels;
  const std::int64_t L = job.length;
  const std::int64_t d = job.head_dim;
  const std::int64_t value_stride = padded_head_dim(d);
  const std::int64_t pair_stride = 2 * value_stride;  // queries and values of a head side by side
  const std::int64_t width = round_up(C, W);
  const std::int64_t panels = round_up(L, run_length);
  float* const rows = scratch.rows.need(run_length * C);
  float* const x = scratch.columns.need(panels * C);  // per run [C, run_length]
  float* const keys = scratch.keys.need(panels * d);  // per run [d, run_length]
  float* const query_value = scratch.queries.need(L * pair_stride);
  float* const scores = scratch.scores.need(query_rows * round_up(L, W));
  float* const gathered = scratch.gathered.need(L * width);
  const auto run_at = [&](std::int64_t r) {
    return Run{job.z + r * job.stride, job.stride, std::min(run_length, L - r)};
  };

  for (std::int64_t r = 0; r < L; r += run_length) {
    normalise_run(run_at(r), C, job.norm, rows);
    if (run_at(r).count < run_length) std::fill(x + r * C, x + (r + run_length) * C, 0.0F);
    transpose_run(rows, C, run_at(r).count, C, x + r * C);
  }
  for (std::int64_t head = 0; head < job.heads; ++head) {
    for (std::int64_t r = 0; r < L; r += run_length) {
      const std::int64_t count = run_at(r).count;
      multiply(
          d, count, C, job.key + head * d * C, C, 1, x + r * C, [](auto, auto) { return Vector{}; },
          [&](std::int64_t m, std::int64_t c, Vector sum) { store(keys + r * d + m * run_length + c, sum); });
      multiply(
          count, pair_stride, C, x + r * C, 1, run_length,
          job.query_value + head * C * round_up(pair_stride, panel_width), [](auto, auto) { return Vector{}; },
          [&](std::int64_t m, std::int64_t c, Vector sum) { store(query_value + (r + m) * pair_stride + c, sum); });
    }
    const float* const bias = job.bias + head * L * job.bias_stride;
    for (std::int64_t q = 0; q < L; q += query_rows) {
      attend_queries(query_value + q * pair_stride, pair_stride, keys, query_value + value_stride, pair_stride,
                     bias + q * job.bias_stride, job.bias_stride, d, L, std::min(query_rows, L - q), scores,
                     [&](std::int64_t r, std::int64_t c, Vector sum) {
                       store_some(gathered + (q + r) * width + head * d + c, sum, d - c);
                     });
    }
  }
  for (std::int64_t r = 0; r < L; r += run_length) {
    const Run run = run_at(r);
    float* const o = gathered + r * width;
    multiply(
        run.count, C, C, x + r * C, 1, run_length, job.gate,
        [&](std::int64_t, std::int64_t c) { return load(job.gate_bias + c); },
        [&](std::int64_t m, std::int64_t c, Vector sum) {
          float* const to = o + m * width + c;
          store(to, load(to) * sigmoid(sum));
        });
    multiply(
        run.count, C, C, o, width, 1, job.out, [&](std::int64_t, std::int64_t c) { return load(job.out_bias + c); },
        [&](std::int64_t m, std::int64_t c, Vector sum) { add_some(run.z + m * run.stride + c, sum, C - c); });
  }
}

void transition(const Run& run, const PairTransition& job, PairScratch& scratch) {
  const std::int64_t C = job.channels;
  const std::int64_t hidden = round_up(job.hidden, W);
  float* const rows = scratch.rows.need(run_length * C);
  float* const middle = scratch.product.need(run_length * hidden);
  normalise_run(run, C, job.norm, rows);
  multiply(
      run.count, job.hidden, C, rows, C, 1, job.in, [&](std::int64_t, std::int64_t c) { return load(job.in_bias + c); },
      [&](std::int64_t r, std::int64_t c, Vector sum) { store(middle + r * hidden + c, sum > 0.0F ? sum : Vector{}); });
  multiply(
      run.count, C, job.hidden, middle, hidden, 1, job.out,
      [&](std::int64_t, std::int64_t c) { return load(job.out_bias + c); },
      [&](std::int64_t r, std::int64_t c, Vector sum) { add_some(run.z + r * run.stride + c, sum, C - c); });
}

void outer_update(const Run& run, const OuterUpdate& job, PairScratch& scratch) {
  const std::int64_t C = job.channels;
  const std::int64_t K = job.inner;
  float* const product = scratch.rows.need(run_length * K);
  for (std::int64_t r = 0; r < run.count; ++r) {
    for (std::int64_t k = 0; k < K; ++k) product[r * K + k] = job.first[k] * job.second[r * job.second_stride + k];
  }
  multiply(
      run.count, C, K, product, K, 1, job.weight,
      [&](std::int64_t r, std::int64_t c) {
        return load_some(job.left + c, C - c) + load_some(job.right + r * C + c, C - c);
      },
      [&](std::int64_t r, std::int64_t c, Vector sum) { add_some(run.z + r * run.stride + c, sum, C - c); });
}

void biased_attention(const BiasedHead& head, PairScratch& scratch) {
  const std::int64_t L = head.length;
  const std::int64_t d = head.head_dim;
  const std::int64_t value_stride = padded_head_dim(d);
  const std::int64_t panels = round_up(L, run_length);
  float* const keys = scratch.keys.need(panels * d);  // per run [d, run_length]
  float* const values = scratch.values.need(L * value_stride);
  float* const queries = scratch.queries.need(query_rows * d);
  float* const scores = scratch.scores.need(query_rows * round_up(L, W));
  std::fill(keys, keys + panels * d, 0.0F);
  for (std::int64_t r = 0; r < L; r += run_length) {
    transpose_run(head.k + r * head.row_stride, head.row_stride, std::min(run_length, L - r), d, keys + r * d);
  }
  for (std::int64_t r = 0; r < L; ++r) {
    for (std::int64_t c = 0; c < value_stride; ++c)
      values[r * value_stride + c] = c < d ? head.v[r * head.row_stride + c] : 0;
  }
  for (std::int64_t q = 0; q < L; q += query_rows) {
    const std::int64_t count = std::min(query_rows, L - q);
    for (std::int64_t r = 0; r < count; ++r) {
      for (std::int64_t c = 0; c < d; ++c) queries[r * d + c] = head.scale * head.q[(q + r) * head.row_stride + c];
    }
    attend_queries(queries, d, keys, values, value_stride, head.bias + q * head.bias_stride, head.bias_stride, d, L,
                   count, scores, [&](std::int64_t r, std::int64_t c, Vector sum) {
                     store_some(head.out + (q + r) * head.out_stride + c, sum, d - c);
                   });
  }
}

// Depth of one step of a linear layer: the columns of a tile stay in the second-level cache from rows to rows.
constexpr std::int64_t linear_depth = 1024;

void linear(const LinearColumns& job) {
  for (std::int64_t panel = 0; panel < job.columns; panel += panel_width) {
    const float* const weight = job.weight + panel * job.in;
    for (std::int64_t k = 0; k < job.in; k += linear_depth) {
      const std::int64_t depth = std::min(linear_depth, job.in - k);
      for_column_blocks(std::min(panel_width, job.columns - panel), [&](auto V, std::int64_t column) {
        for_row_blocks(job.rows, [&](auto M, std::int64_t row) {
          const std::int64_t first = panel + column;
          float* const out = job.out + row * job.out_stride + first;
          multiply_tile<M(), V()>(
              depth, job.x + row * job.in + k, job.in, 1, weight + k * panel_width + column, panel_width,
              [&](std::int64_t m, std::int64_t v) {
                return k == 0 ? load(job.bias + first + v * W)
                              : load_some(out + m * job.out_stride + v * W, job.columns - first - v * W);
              },
              [&](std::int64_t m, std::int64_t v, Vector sum) {
                store_some(out + m * job.out_stride + v * W, sum, job.columns - first - v * W);
              });
        });
      });
    }
  }
}

constexpr PairKernels pair_table = {pair_bias,  triangle_project, triangle_product, triangle_output, triangle_attention,
                                    transition, outer_update,     biased_attention, linear};

}  // namespace
}  // namespace pleat::cpu
