// From the hidden states of a batch to what is stored of its sequences: rows cut out, converted, looked through and
// averaged.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace pleat {

// Which of a batch's T rows are kept, sequence after sequence.
struct KeptRows {
  std::vector<std::int64_t> starts;  // [B+1]: where those of each sequence begin among the R, and the last ones end
  at::Tensor rows;                   // [R] int64
  at::Tensor chunks;                 // [K+1] int64: Chunks::starts
  at::Tensor sequence_chunks;        // [B+1] int64: Chunks::of_sequence

  static KeptRows make(const std::vector<std::int64_t>& rows, std::vector<std::int64_t> starts, at::Device device);
};

// Numbers as they leave the device.
struct ConvertedRows {
  at::Tensor values;  // [rows, ...] of the type asked for, contiguous
  // [2, rows] float32: the least and the largest of each row before it was converted, and infinite where they are
  // beyond float32; at least one of the two is NaN where the row holds NaN.
  at::Tensor extents;
};

// x [rows, columns], by ATen.
[[nodiscard]] ConvertedRows convert_rows(const at::Tensor& x, at::ScalarType type);

// What is wanted of hidden states, and as which type, float16 or float32.
struct WantedRows {
  at::ScalarType type;
  bool rows = false;
  bool means = false;
};

struct CollectedRows {
  ConvertedRows rows;   // values [R, D]
  ConvertedRows means;  // values [B, D]: of each sequence's rows, summed in float64
};

// hidden [T, D] float32; what is not wanted stays undefined. A sequence's bits depend neither on the others of the
// batch nor on where it lies among them. A mean's last bit may be another from device to device: its sum has another
// order.
[[nodiscard]] CollectedRows collect_rows(const at::Tensor& hidden, const KeptRows& kept, const WantedRows& wanted);

// By ATen, one mean after the other.
[[nodiscard]] CollectedRows collect_rows_reference(const at::Tensor& hidden, const KeptRows& kept,
                                                   const WantedRows& wanted);

}  // namespace pleat
