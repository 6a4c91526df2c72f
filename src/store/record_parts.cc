#include "store/record_parts.h"

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>
#include <type_traits>

#include "core/error.h"
#include "core/half.h"
#include "sequence/residues.h"
#include "store/schema.h"

namespace pleat {
namespace {

void add_structure_parts(std::vector<Part>& parts, const ResultLayout& layout) {
  const Element confidence = element_of(layout.structure_dtype);
  const auto slots = static_cast<std::int64_t>(residues::slots);
  parts.push_back({schema::positions, Extent::residue, {slots, 3}, Element::float32, schema::angstrom});
  parts.push_back({schema::atom_mask, Extent::residue, {slots}, Element::uint8, {}});
  parts.push_back({schema::plddt, Extent::residue, {slots}, confidence, {}});
  parts.push_back({schema::mean_plddt, Extent::sequence, {}, Element::float32, {}});
  parts.push_back({schema::ptm, Extent::sequence, {}, Element::float32, {}});
  parts.push_back({schema::recycles, Extent::sequence, {}, Element::int32, {}});
  if (layout.pae) parts.push_back({schema::pae, Extent::pair, {}, confidence, schema::angstrom});
}

// Calls `see` with each array of a result in the order of the parts: a vector, or one number.
template <class Result, class See>
void for_each_array(Result& result, const ResultLayout& layout, const See& see) {
  for (auto& layer : result.layers) {
    if (layout.mean) see(layer.mean);
    if (layout.bos) see(layer.bos);
    if (layout.per_residue) see(layer.per_residue);
  }
  if (layout.logits) see(result.logits);
  if (layout.contacts) see(result.contacts);
  if (!layout.structure) return;
  auto& structure = result.structure;
  see(structure.positions);
  see(structure.atom_mask);
  see(structure.plddt);
  see(structure.mean_plddt);
  see(structure.ptm);
  see(structure.recycles);
  if (layout.pae) see(structure.pae);
}

template <class T>
std::span<T> elements(std::vector<T>& values) {
  return values;
}
template <class T>
std::span<const T> elements(const std::vector<T>& values) {
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

}  // namespace

std::span<const std::byte> missing_element(Element element) {
  static constexpr std::array<std::byte, 2> half_not_a_number{std::byte{half_nan & 0xff}, std::byte{half_nan >> 8}};
  static constexpr std::array<std::byte, 4> not_a_number{std::byte{0}, std::byte{0}, std::byte{0xc0}, std::byte{0x7f}};
  static constexpr std::array<std::byte, 1> zero{std::byte{0}};
  static constexpr std::array<std::byte, 4> minus_one{std::byte{0xff}, std::byte{0xff}, std::byte{0xff},
                                                      std::byte{0xff}};
  switch (element) {
    case Element::float16: return half_not_a_number;
    case Element::float32: return not_a_number;
    case Element::uint8: return zero;
    case Element::int32: return minus_one;
  }
  throw Error(ErrorCode::internal, "an element of no type");
}

Element element_of(DType type) {
  if (type == DType::float16) return Element::float16;
  if (type == DType::float32) return Element::float32;
  throw Error(ErrorCode::internal, "results cannot be stored as " + std::string(name_of(type)));
}

std::int64_t Part::row_bytes() const {
  return std::accumulate(row_shape.begin(), row_shape.end(), size_of(element), std::multiplies<>());
}

std::vector<Part> parts_of(const ResultLayout& layout) {
  const Element element = element_of(layout.dtype);
  std::vector<Part> parts;
  for (const std::int64_t layer : layout.layers) {
    const std::string folder =
        std::string(schema::embeddings_group) + "/" + schema::layer_name(layer, layout.depth) + "/";
    const auto add = [&](const char* name, Extent extent) {
      parts.push_back({folder + name, extent, {layout.width}, element, {}});
    };
    if (layout.mean) add(schema::mean_name, Extent::sequence);
    if (layout.bos) add(schema::bos_name, Extent::sequence);
    if (layout.per_residue) add(schema::per_residue_name, Extent::residue);
  }
  const auto letters = static_cast<std::int64_t>(layout.alphabet.size());
  if (layout.logits) parts.push_back({schema::logits, Extent::residue, {letters}, element, {}});
  if (layout.contacts) parts.push_back({schema::contact_values, Extent::pair, {}, element, {}});
  if (layout.structure) add_structure_parts(parts, layout);
  return parts;
}

std::vector<std::uint64_t> sizes_of(const std::vector<Part>& parts, std::int64_t length) {
  std::vector<std::uint64_t> sizes;
  sizes.reserve(parts.size());
  for (const Part& part : parts) {
    sizes.push_back(static_cast<std::uint64_t>(rows_of(part.extent, length) * part.row_bytes()));
  }
  return sizes;
}

std::int64_t uncompressed_bytes(const ResultLayout& layout, std::int64_t length) {
  std::int64_t bytes = 0;
  for (const Part& part : parts_of(layout)) bytes += rows_of(part.extent, length) * part.row_bytes();
  return bytes;
}

std::vector<std::span<const std::byte>> bytes_of(const SequenceResult& result, const ResultLayout& layout) {
  if (result.layers.size() != layout.layers.size()) {
    throw Error(ErrorCode::internal, "the result of sequence row " + std::to_string(result.row) + " has " +
                                         std::to_string(result.layers.size()) + " layers instead of " +
                                         std::to_string(layout.layers.size()));
  }
  std::vector<std::span<const std::byte>> bytes;
  for_each_array(result, layout, [&](const auto& values) { bytes.push_back(std::as_bytes(elements(values))); });
  return bytes;
}

SequenceResult result_from(std::span<const std::byte> bytes, const ResultLayout& layout, std::int64_t length) {
  const std::vector<std::uint64_t> sizes = sizes_of(parts_of(layout), length);
  if (std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0}) != bytes.size()) {
    throw Error(ErrorCode::internal,
                "a result of " + std::to_string(length) + " residues has " + std::to_string(bytes.size()) + " bytes");
  }
  SequenceResult result;
  result.layers.resize(layout.layers.size());
  auto size = sizes.begin();
  for_each_array(result, layout, [&](auto& values) {
    make_room(values, *size);
    std::ranges::copy(bytes.first(*size), std::as_writable_bytes(elements(values)).begin());
    bytes = bytes.subspan(*size++);
  });
  return result;
}

}  // namespace pleat
