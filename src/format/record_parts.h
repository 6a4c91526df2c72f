// Which arrays a layout holds, in the one order that segments and the result file share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "format/element.h"
#include "format/extent.h"
#include "format/schema_table.h"
#include "format/sequence_result.h"
#include "sequence/dataset.h"

namespace pleat {

// Float16 or float32 as an element of a dataset. Throws Error(internal) for types that results are not stored as.
[[nodiscard]] Element element_of(DType type);

// One dataset of results, as a layout has it.
struct Part {
  const schema::DatasetEntry* entry = nullptr;
  std::string path;
  std::size_t layer = 0;  // in ResultLayout::layers, or in attention_layers
  Extent extent = Extent::sequence;
  std::vector<std::int64_t> row_shape;  // of what one row holds; empty: a single element
  Element element = Element::float32;
  std::vector<std::byte> missing;  // an element of a row that was never computed

  [[nodiscard]] std::int64_t row_bytes() const;
};

// In the order of the table of the result file, but with all of a layer before the next.
[[nodiscard]] std::vector<Part> parts_of(const ResultLayout& layout);

// What each part of a sequence takes.
[[nodiscard]] std::vector<std::uint64_t> sizes_of(const std::vector<Part>& parts, const SequenceSize& size);
// What the results of a sequence take before they are compressed.
[[nodiscard]] std::int64_t uncompressed_bytes(const ResultLayout& layout, const SequenceSize& size);

[[nodiscard]] inline SequenceSize size_of(const SequenceTable& sequences, std::int64_t row) {
  return {sequences.length(row), sequences.chains(row), std::ssize(sequences.variants(row))};
}

// The bytes of each part, in the same order; `parts` are those of the layout. Throws Error(internal) when the result
// has other layers than the layout.
[[nodiscard]] std::vector<std::span<const std::byte>> bytes_of(const SequenceResult& result, const ResultLayout& layout,
                                                               const std::vector<Part>& parts);
[[nodiscard]] inline std::vector<std::span<const std::byte>> bytes_of(const SequenceResult& result,
                                                                      const ResultLayout& layout) {
  return bytes_of(result, layout, parts_of(layout));
}

// The bytes of one part of a result, made as long as `size` says, to be filled.
[[nodiscard]] std::span<std::byte> room_for(const Part& part, SequenceResult& result, std::uint64_t size);

// The inverse of bytes_of(): a result with the numbers of a sequence, from its parts end to end. Throws
// Error(internal) when `bytes` has another size.
[[nodiscard]] SequenceResult result_from(std::span<const std::byte> bytes, const ResultLayout& layout,
                                         const SequenceSize& size);

}  // namespace pleat
