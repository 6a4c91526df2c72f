#include "format/element.h"

#include <array>
#include <bit>
#include <cmath>
#include <string>

#include "core/error.h"
#include "core/half.h"

namespace pleat {
namespace {

static_assert(std::endian::native == std::endian::little, "the file is little-endian");

template <typename T>
std::vector<std::byte> bytes_as(double value) {
  const auto bytes = std::bit_cast<std::array<std::byte, sizeof(T)>>(static_cast<T>(value));
  return {bytes.begin(), bytes.end()};
}

std::vector<std::byte> half_bytes(double value) {
  const std::uint16_t half = std::isnan(value) ? half_nan : half_from_float(static_cast<float>(value));
  const auto bytes = std::bit_cast<std::array<std::byte, sizeof(half)>>(half);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

std::string_view text_of(Element element) {
  switch (element) {
    case Element::uint8: return "uint8";
    case Element::uint16: return "uint16";
    case Element::int32: return "int32";
    case Element::int64: return "int64";
    case Element::float16: return "float16";
    case Element::float32: return "float32";
    case Element::float64: return "float64";
    case Element::text: return "utf8";
    case Element::atom_name: return "utf8 of 4 bytes";
    case Element::status:
    case Element::memory_rung: return "uint8 enum";
    case Element::embedding_float:
    case Element::structure_float: return "float16 or float32";
  }
  throw Error(ErrorCode::internal, "an element of no type");
}

bool may_be_stored_as(Element element, std::string_view stored) {
  switch (element) {
    case Element::atom_name: return stored == "utf8";
    case Element::status:
    case Element::memory_rung: return stored == "enum";
    case Element::embedding_float:
    case Element::structure_float: return stored == "float16" || stored == "float32";
    default: return stored == text_of(element);
  }
}

std::vector<std::byte> element_bytes(Element element, double value) {
  switch (element) {
    case Element::uint8: return bytes_as<std::uint8_t>(value);
    case Element::uint16: return bytes_as<std::uint16_t>(value);
    case Element::int32: return bytes_as<std::int32_t>(value);
    case Element::int64: return bytes_as<std::int64_t>(value);
    case Element::float16: return half_bytes(value);
    case Element::float32: return bytes_as<float>(value);
    case Element::float64: return bytes_as<double>(value);
    default: throw Error(ErrorCode::internal, "results are not stored as " + std::string(text_of(element)));
  }
}

}  // namespace pleat
