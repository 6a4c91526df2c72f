#include "ops/triangle_multiplication/cpu.h"

#include "ops/cpu/instruction_set.h"
#include "ops/triangle_multiplication/normalize.h"

namespace pleat::cpu {
namespace {

// Depth of one step of a triangular product: a panel of b of this depth stays in the first-level cache.
constexpr std::int64_t product_depth = 120;

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

}  // namespace

namespace PLEAT_INSTRUCTION_SET {

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

void triangle_output(const Run& run, const TriangleOutput& job, const float* x, std::int64_t plane,
                     PairScratch& scratch) {
  const std::int64_t C = job.channels;
  const std::int64_t width = round_up(C, W);
  float* const rows = scratch.rows.need(run_length * C);
  float* const value = scratch.product.need(run_length * width);
  const float* const columns = normalised_planes(x, plane, C, run.count, job.norm_out, scratch.columns);
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

}  // namespace PLEAT_INSTRUCTION_SET
}  // namespace pleat::cpu
