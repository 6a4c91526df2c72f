#include "weights/safetensors.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "weights/refusal.h"
#include "weights/strict_json.h"

namespace pleat {
namespace {

using nlohmann::json;

constexpr std::size_t length_bytes = 8;
constexpr std::uint64_t max_header_bytes = 100'000'000;  // the limit of the format's own library

[[noreturn]] void refuse(const std::string& origin, const std::string& reason) {
  throw Error(ErrorCode::bad_input, origin + ": " + reason,
              "the file is damaged or not a safetensors file; fetch it again, or check it with 'pleat model verify'");
}

// One entry of the header, with offsets counted from the end of the header.
struct Entry {
  std::string name;
  DType dtype = DType::float32;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

std::uint64_t header_length(std::span<const std::byte> bytes, const std::string& origin) {
  if (bytes.size() < length_bytes) {
    refuse(origin, "only " + std::to_string(bytes.size()) + " bytes, too short for a safetensors file");
  }
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < length_bytes; ++i) length |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  if (length > max_header_bytes) {
    refuse(origin, "the header's length is given as " + std::to_string(length) + " bytes, beyond the format's limit");
  }
  if (length > bytes.size() - length_bytes) {
    refuse(origin, "the header's length is given as " + std::to_string(length) + " bytes, but the file ends after " +
                       std::to_string(bytes.size() - length_bytes));
  }
  return length;
}

DType dtype_of(const json& entry, const std::string& origin, const std::string& name) {
  constexpr std::array<std::pair<std::string_view, DType>, 5> known{{{"F32", DType::float32},
                                                                     {"F16", DType::float16},
                                                                     {"BF16", DType::bfloat16},
                                                                     {"I64", DType::int64},
                                                                     {"U8", DType::uint8}}};
  const auto found = entry.find("dtype");
  if (found == entry.end() || !found->is_string()) refuse(origin, "tensor " + in_quotes(name) + " has no dtype");
  const auto& text = found->get_ref<const std::string&>();
  for (const auto& [label, type] : known) {
    if (label == text) return type;
  }
  throw Error(ErrorCode::bad_input, origin + ": tensor " + in_quotes(name) + " has the type " + in_quotes(text),
              "pleat reads F32, F16, BF16, I64 and U8; save the weights in one of these");
}

// A JSON number that is a whole one and not negative.
std::optional<std::uint64_t> as_count(const json& value) {
  if (!value.is_number_unsigned()) return std::nullopt;
  return value.get<std::uint64_t>();
}

std::vector<std::int64_t> shape_of(const json& entry, const std::string& origin, const std::string& name) {
  const auto found = entry.find("shape");
  if (found == entry.end() || !found->is_array()) refuse(origin, "tensor " + in_quotes(name) + " has no shape");
  std::vector<std::int64_t> shape;
  for (const json& value : *found) {
    const std::optional<std::uint64_t> size = as_count(value);
    if (!size || *size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      refuse(origin, "tensor " + in_quotes(name) + " has a shape that is not made of whole numbers from 0 up");
    }
    shape.push_back(static_cast<std::int64_t>(*size));
  }
  return shape;
}

// Elements times their size; nothing where that does not fit 64 bits.
std::optional<std::uint64_t> bytes_of(const std::vector<std::int64_t>& shape, DType dtype) {
  // A size of 0 makes the tensor empty however large the other sizes are.
  if (std::ranges::find(shape, 0) != shape.end()) return 0;
  std::uint64_t product = size_of(dtype);
  for (const std::int64_t size : shape) {
    if (product > std::numeric_limits<std::uint64_t>::max() / static_cast<std::uint64_t>(size)) return std::nullopt;
    product *= static_cast<std::uint64_t>(size);
  }
  return product;
}

Entry parse_entry(const std::string& name, const json& value, std::uint64_t data_bytes, const std::string& origin) {
  if (name.size() > max_name_bytes) refuse(origin, "tensor " + in_quotes(name) + " has a name of over 1000 bytes");
  if (!value.is_object()) refuse(origin, "the header's entry for " + in_quotes(name) + " is not an object");
  Entry entry{.name = name, .dtype = dtype_of(value, origin, name), .shape = shape_of(value, origin, name)};
  const auto offsets = value.find("data_offsets");
  if (offsets == value.end() || !offsets->is_array() || offsets->size() != 2) {
    refuse(origin, "tensor " + in_quotes(name) + " has no data_offsets");
  }
  const std::optional<std::uint64_t> begin = as_count((*offsets)[0]);
  const std::optional<std::uint64_t> end = as_count((*offsets)[1]);
  if (!begin || !end || *begin > *end) {
    refuse(origin, "tensor " + in_quotes(name) + " has the data_offsets " + in_quotes(offsets->dump()) +
                       ", which make no range");
  }
  if (*end > data_bytes) {
    refuse(origin, "tensor " + in_quotes(name) + " should end at byte " + std::to_string(*end) +
                       " of the data, but the file holds " + std::to_string(data_bytes) + ": it is cut short");
  }
  entry.begin = *begin;
  entry.end = *end;
  if (bytes_of(entry.shape, entry.dtype) != entry.end - entry.begin) {
    refuse(origin, "tensor " + in_quotes(name) + " has " + std::to_string(entry.end - entry.begin) +
                       " bytes of data, which is not what its shape and type need");
  }
  return entry;
}

void check_metadata(const json& value, const std::string& origin) {
  const bool good = value.is_object() && std::ranges::all_of(value, [](const json& text) { return text.is_string(); });
  if (!good) refuse(origin, "the header's __metadata__ is not an object of strings");
}

// The data must be covered from its first byte to its last, each byte once.
void check_cover(std::vector<Entry>& entries, std::uint64_t data_bytes, const std::string& origin) {
  std::ranges::sort(
      entries, [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  std::uint64_t covered = 0;
  for (const Entry& entry : entries) {
    if (entry.begin < covered) refuse(origin, "tensor " + in_quotes(entry.name) + " overlaps another one");
    if (entry.begin > covered) {
      refuse(origin, "there is a hole of " + std::to_string(entry.begin - covered) + " bytes before tensor " +
                         in_quotes(entry.name));
    }
    covered = entry.end;
  }
  if (covered != data_bytes) {
    refuse(origin, std::to_string(data_bytes - covered) + " bytes at the end belong to no tensor");
  }
}

}  // namespace

std::map<std::string, TensorView> parse_safetensors(std::span<const std::byte> bytes,
                                                    const std::filesystem::path& file) {
  const std::string origin = "'" + file.string() + "'";
  const std::uint64_t length = header_length(bytes, origin);
  const std::span<const std::byte> data = bytes.subspan(length_bytes + length);
  // Bytes seen as text: the one cast here.
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + length_bytes, length);
  if (!text.starts_with('{')) refuse(origin, "the header does not begin with '{'");
  const json header = parse_strict_json(text, origin);

  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__") {
      check_metadata(value, origin);
    } else {
      entries.push_back(parse_entry(name, value, data.size(), origin));
    }
  }
  check_cover(entries, data.size(), origin);

  std::map<std::string, TensorView> tensors;
  for (Entry& entry : entries) {
    tensors.emplace(std::move(entry.name), TensorView{entry.dtype, std::move(entry.shape),
                                                      data.subspan(entry.begin, entry.end - entry.begin)});
  }
  return tensors;
}

}  // namespace pleat
