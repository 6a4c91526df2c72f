// The types of the result file's elements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace pleat {

enum class Element : std::uint8_t {
  uint8,
  uint16,
  int32,
  int64,
  float16,
  float32,
  float64,
  text,             // UTF-8 of any length
  atom_name,        // UTF-8 of 4 bytes, shorter ones filled up with zeros
  status,           // uint8 with the words of RecordStatus
  memory_rung,      // uint8 with the words of MemoryRung
  embedding_float,  // float16 or float32, as the layout says for embeddings, logits and contacts
  structure_float,  // float16 or float32, as the layout says for structures
};

// As the reference page says it: "utf8 of 4 bytes", "float16 or float32".
[[nodiscard]] std::string_view text_of(Element element);
// Whether a dataset whose DataSetInfo::type is `stored` may be of this type.
[[nodiscard]] bool may_be_stored_as(Element element, std::string_view stored);

// The bytes of one element of results that holds `value`. Throws Error(internal) for a type that is no plain number.
[[nodiscard]] std::vector<std::byte> element_bytes(Element element, double value);

}  // namespace pleat
