#include "record_parts.h"

#include "pleat/core/error.h"
#include "pleat/store/schema.h"

namespace pleat {

std::vector<Part> parts_of(const ResultLayout& layout) {
  std::vector<Part> parts;
  for (const std::int64_t layer : layout.layers) {
    const std::string folder =
        std::string(schema::embeddings_group) + "/" + schema::layer_name(layer, layout.depth) + "/";
    if (layout.mean) parts.push_back({folder + schema::mean_name, Extent::sequence, layout.width});
    if (layout.bos) parts.push_back({folder + schema::bos_name, Extent::sequence, layout.width});
    if (layout.per_residue) parts.push_back({folder + schema::per_residue_name, Extent::residue, layout.width});
  }
  const auto letters = static_cast<std::int64_t>(layout.alphabet.size());
  if (layout.logits) parts.push_back({schema::logits, Extent::residue, letters});
  if (layout.contacts) parts.push_back({schema::contact_values, Extent::pair, 0});
  return parts;
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
  return bytes;
}

}  // namespace pleat
