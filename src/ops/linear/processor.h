// The ways in which the processor computes a linear layer, and the choice among them.
//
// Whatever the way, a row's bits do not depend on the number of rows as long as that is a multiple of
// PackedBatch::minimum_rows. Libraries do not promise that, and some break it on some processors. So oneDNN proves it,
// once for each shape it is to compute, before it is used; our own products have it by construction.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>

#include "ops/cpu/tile_kernels.h"
#include "ops/linear/linear.h"

namespace pleat {

class ProcessorLinear {
 public:
  ProcessorLinear() = default;
  ProcessorLinear(const ProcessorLinear&) = delete;
  ProcessorLinear& operator=(const ProcessorLinear&) = delete;
  virtual ~ProcessorLinear() = default;

  // x [T, K], contiguous -> [T, N], of one type
  [[nodiscard]] virtual at::Tensor multiply(const at::Tensor& x) const = 0;
  // The same into y [T, N], contiguous and of the type of x.
  virtual void write(at::Tensor& y, const at::Tensor& x) const { y.copy_(multiply(x)); }
  // sum [T, N] float32, contiguous, += the same; for layers without an activation.
  virtual void add_to(at::Tensor& sum, const at::Tensor& x) const { sum += multiply(x); }
};

using ProcessorLinearPtr = std::shared_ptr<const ProcessorLinear>;

// The tiles' kernels in use, where they compute what plain arithmetic does, which is found out before their first use;
// otherwise nullptr.
[[nodiscard]] const cpu::TileKernels* trusted_tile_kernels();
// A weight [out, in] in bfloat16 as an operand of a product by tiles: [in, out] on its right, or [out, in] on its left.
[[nodiscard]] at::Tensor right_tiles_of(const at::Tensor& weight);
[[nodiscard]] at::Tensor left_tiles_of(const at::Tensor& weight);

// By AMX's tiles. nullptr in float32, where the processor's path has none, and where they do not compute what plain
// arithmetic does.
[[nodiscard]] ProcessorLinearPtr make_tile_linear(const at::Tensor& weight, const at::Tensor& bias,
                                                  Activation activation);
// By these kernels, unproven.
[[nodiscard]] ProcessorLinearPtr make_tile_linear(const cpu::TileKernels& kernels, const at::Tensor& weight,
                                                  const at::Tensor& bias, Activation activation);
// By oneDNN: rows as they come where that is proven to be right, otherwise in blocks of a fixed number of rows. nullptr
// where neither is, or without AVX-512.
[[nodiscard]] ProcessorLinearPtr make_onednn_linear(const at::Tensor& weight, const at::Tensor& bias,
                                                    Activation activation, Rows rows);
// By our own product in float32, which any processor has; its rows are independent by construction.
[[nodiscard]] ProcessorLinearPtr make_panel_linear(const at::Tensor& weight, const at::Tensor& bias,
                                                   Activation activation);

// The first of these that can be had and is no slower here than one after it. weight [N, K] and bias [N] or undefined,
// float32 or bfloat16.
[[nodiscard]] ProcessorLinearPtr make_processor_linear(const at::Tensor& weight, const at::Tensor& bias,
                                                       Activation activation, Rows rows);

[[nodiscard]] cpu::Ending ending_of(Activation activation);

// The ways taken so far in this process, for the log: "oneDNN", "AMX tiles, our own product". Empty before the first.
[[nodiscard]] std::string linear_ways_text();
// For the ways: notes that one was taken, by its name.
void note_linear_way(const std::string& name);

// Numbers [rows, columns] that differ everywhere and are the same on every machine, in [-0.5, 0.5).
[[nodiscard]] at::Tensor probe_numbers(std::int64_t rows, std::int64_t columns, at::ScalarType type, float step);

// Whether rows of `layer`, called with several numbers of rows at several places, have the bits that they have in one
// call.
[[nodiscard]] bool rows_are_independent(const ProcessorLinear& layer, std::int64_t in, at::ScalarType type);

}  // namespace pleat
