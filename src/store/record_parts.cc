#include "record_parts.h"

#include <array>
#include <functional>
#include <numeric>

#include "pleat/core/error.h"
#include "pleat/core/half.h"
#include "pleat/sequence/residues.h"
#include "pleat/store/schema.h"

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

void add_structure_bytes(std::vector<std::span<const std::byte>>& bytes, const StructureResult& structure, bool pae) {
  bytes.push_back(std::as_bytes(std::span(structure.positions)));
  bytes.push_back(std::as_bytes(std::span(structure.atom_mask)));
  bytes.emplace_back(structure.plddt);
  bytes.push_back(std::as_bytes(std::span(&structure.mean_plddt, 1)));
  bytes.push_back(std::as_bytes(std::span(&structure.ptm, 1)));
  bytes.push_back(std::as_bytes(std::span(&structure.recycles, 1)));
  if (pae) bytes.emplace_back(structure.pae);
}

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
  for (const LayerResult& layer : result.layers) {
    if (layout.mean) bytes.emplace_back(layer.mean);
    if (layout.bos) bytes.emplace_back(layer.bos);
    if (layout.per_residue) bytes.emplace_back(layer.per_residue);
  }
  if (layout.logits) bytes.emplace_back(result.logits);
  if (layout.contacts) bytes.emplace_back(result.contacts);
  if (layout.structure) add_structure_bytes(bytes, result.structure, layout.pae);
  return bytes;
}

}  // namespace pleat
