// Which arrays a layout holds, in the one order that segments and the result file share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "store/result_writer.h"

namespace pleat {

// How many rows of a dataset one sequence of length L has: 1, L or L * L.
enum class Extent : std::uint8_t { sequence, residue, pair };

[[nodiscard]] constexpr std::int64_t rows_of(Extent extent, std::int64_t length) {
  switch (extent) {
    case Extent::sequence: return 1;
    case Extent::residue: return length;
    case Extent::pair: return length * length;
  }
  return 0;
}

// What a dataset is made of.
enum class Element : std::uint8_t { float16, float32, uint8, int32 };

// The bytes of one element of a row that was never computed: NaN, 0 or -1.
[[nodiscard]] std::span<const std::byte> missing_element(Element element);
[[nodiscard]] inline std::int64_t size_of(Element element) { return std::ssize(missing_element(element)); }
// Throws Error(internal) for types that results are not stored as.
[[nodiscard]] Element element_of(DType type);

// One dataset of results.
struct Part {
  std::string path;
  Extent extent = Extent::sequence;
  std::vector<std::int64_t> row_shape;  // of what one row holds; empty: a single element
  Element element = Element::float32;
  std::string units;  // written as the attribute "units"; empty: none

  [[nodiscard]] std::int64_t row_bytes() const;
};

[[nodiscard]] std::vector<Part> parts_of(const ResultLayout& layout);

// What each part of a sequence of `length` residues takes.
[[nodiscard]] std::vector<std::uint64_t> sizes_of(const std::vector<Part>& parts, std::int64_t length);

// The bytes of each part, in the same order. Throws Error(internal) when the result has other layers than the layout.
[[nodiscard]] std::vector<std::span<const std::byte>> bytes_of(const SequenceResult& result,
                                                               const ResultLayout& layout);

// The inverse: a result with the numbers of a sequence of `length` residues, from its parts end to end. Throws
// Error(internal) when `bytes` has another size.
[[nodiscard]] SequenceResult result_from(std::span<const std::byte> bytes, const ResultLayout& layout,
                                         std::int64_t length);

}  // namespace pleat
