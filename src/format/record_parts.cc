#include "format/record_parts.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <type_traits>
#include <utility>

#include "core/error.h"
#include "format/schema.h"

namespace pleat {
namespace {

Element element_in(const ResultLayout& layout, Element element) {
  if (element == Element::embedding_float) return element_of(layout.dtype);
  if (element == Element::structure_float) return element_of(layout.structure_dtype);
  return element;
}

std::int64_t size_in(const ResultLayout& layout, std::int64_t size) {
  if (size == schema::model_width) return layout.width;
  if (size == schema::trunk_width) return layout.trunk_width;
  if (size == schema::letters_of_model) return std::ssize(layout.alphabet);
  if (size == schema::heads_of_model) return layout.heads;
  return size;
}

Part part_of(const schema::DatasetEntry& entry, const ResultLayout& layout, std::size_t layer) {
  Part part;
  part.entry = &entry;
  part.path = entry.path;
  if (entry.is_of_layer())
    part.path = schema::path_in_layer(entry.path, layers_of(entry.present, layout)[layer], layout.depth);
  part.layer = layer;
  part.extent = entry.extent;
  for (const std::int64_t size : entry.sizes()) part.row_shape.push_back(size_in(layout, size));
  part.element = element_in(layout, entry.element);
  part.missing = element_bytes(part.element, entry.missing);
  return part;
}

// Where a result has the values of a part; null where it has none.
template <class T>
std::span<T> elements(std::vector<T>& values) {
  return values;
}
template <class T>
  requires std::is_arithmetic_v<T>
std::span<T> elements(T& value) {
  return {&value, 1};
}

template <class T>
void make_room(std::vector<T>& values, std::uint64_t bytes) {
  values.resize(bytes / sizeof(T));
}
template <class T>
  requires std::is_arithmetic_v<T>
void make_room(T& /*value*/, std::uint64_t /*bytes*/) {}

schema::Values values_of(const Part& part, SequenceResult& result) {
  const auto* const member = std::get_if<schema::ResultField>(&part.entry->content);
  return member != nullptr ? (*member)(result, part.layer) : schema::Values{&result.extra[part.path]};
}

std::span<const std::byte> bytes_of(const Part& part, const SequenceResult& result) {
  if (std::holds_alternative<schema::Extra>(part.entry->content)) {
    const auto found = result.extra.find(part.path);
    return found == result.extra.end() ? std::span<const std::byte>() : std::span(found->second);
  }
  // A member's address, through which nothing is written.
  auto& same = const_cast<SequenceResult&>(result);
  return std::visit([](auto* values) -> std::span<const std::byte> { return std::as_bytes(elements(*values)); },
                    values_of(part, same));
}

std::uint64_t total(const std::vector<std::uint64_t>& sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0});
}

}  // namespace

Element element_of(DType type) {
  if (type == DType::float16) return Element::float16;
  if (type == DType::float32) return Element::float32;
  throw Error(ErrorCode::internal, "results cannot be stored as " + std::string(name_of(type)));
}

std::int64_t Part::row_bytes() const {
  return std::accumulate(row_shape.begin(), row_shape.end(), std::ssize(missing), std::multiplies<>());
}

std::vector<Part> parts_of(const ResultLayout& layout) {
  std::vector<Part> parts;
  const auto add = [&](std::size_t layer, const auto& is_wanted) {
    for (const schema::DatasetEntry& entry : schema::dataset_table()) {
      if (!entry.is_computed() || !is_wanted(entry)) continue;
      if (schema::is_asked_for(entry.present, layout)) parts.push_back(part_of(entry, layout, layer));
    }
  };
  static_cast<void>(element_of(layout.dtype));
  for (std::size_t layer = 0; layer < std::max(layout.layers.size(), layout.attention_layers.size()); ++layer) {
    add(layer, [&](const schema::DatasetEntry& entry) {
      return entry.is_of_layer() && layer < schema::layers_of(entry.present, layout).size();
    });
  }
  add(0, [](const schema::DatasetEntry& entry) { return !entry.is_of_layer(); });
  return parts;
}

std::vector<std::uint64_t> sizes_of(const std::vector<Part>& parts, const SequenceSize& size) {
  std::vector<std::uint64_t> sizes;
  sizes.reserve(parts.size());
  for (const Part& part : parts) {
    sizes.push_back(static_cast<std::uint64_t>(rows_of(part.extent, size) * part.row_bytes()));
  }
  return sizes;
}

std::int64_t uncompressed_bytes(const ResultLayout& layout, const SequenceSize& size) {
  return static_cast<std::int64_t>(total(sizes_of(parts_of(layout), size)));
}

std::vector<std::span<const std::byte>> bytes_of(const SequenceResult& result, const ResultLayout& layout,
                                                 const std::vector<Part>& parts) {
  if (result.layers.size() != layout.layers.size()) {
    throw Error(ErrorCode::internal, "the result of sequence row " + std::to_string(result.row) + " has " +
                                         std::to_string(result.layers.size()) + " layers instead of " +
                                         std::to_string(layout.layers.size()));
  }
  std::vector<std::span<const std::byte>> bytes;
  bytes.reserve(parts.size());
  for (const Part& part : parts) bytes.push_back(bytes_of(part, result));
  return bytes;
}

std::span<std::byte> room_for(const Part& part, SequenceResult& result, std::uint64_t size) {
  return std::visit(
      [&](auto* values) {
        make_room(*values, size);
        return std::as_writable_bytes(elements(*values));
      },
      values_of(part, result));
}

SequenceResult result_from(std::span<const std::byte> bytes, const ResultLayout& layout, const SequenceSize& size) {
  const std::vector<Part> parts = parts_of(layout);
  const std::vector<std::uint64_t> sizes = sizes_of(parts, size);
  if (total(sizes) != bytes.size()) {
    throw Error(ErrorCode::internal, "a result of " + std::to_string(size.residues) + " residues has " +
                                         std::to_string(bytes.size()) + " bytes");
  }
  SequenceResult result;
  result.layers.resize(layout.layers.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::ranges::copy(bytes.first(sizes[i]), room_for(parts[i], result, sizes[i]).begin());
    bytes = bytes.subspan(sizes[i]);
  }
  return result;
}

}  // namespace pleat
