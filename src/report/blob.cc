#include "report/blob.h"

#include <libdeflate.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <bit>
#include <memory>

#include "core/error.h"

namespace pleat {
namespace {

using Json = nlohmann::ordered_json;

static_assert(std::endian::native == std::endian::little, "numbers lie in the page as little-endian ones");

template <typename T>
std::string_view bytes_of(std::span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

std::span<const unsigned char> unsigned_bytes(std::string_view text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

// Of the texts, not inside a character.
std::string_view cut(std::string_view text, std::size_t longest) {
  if (text.size() <= longest) return text;
  std::size_t end = longest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

}  // namespace

std::string base64(std::span<const unsigned char> bytes) {
  constexpr std::size_t block = 3 << 20;  // EVP_EncodeBlock counts in int
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  std::vector<unsigned char> encoded(block / 3 * 4 + 1);
  while (!bytes.empty()) {
    const std::size_t size = std::min(block, bytes.size());
    const int written = EVP_EncodeBlock(encoded.data(), bytes.data(), static_cast<int>(size));
    out.append(reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(written));
    bytes = bytes.subspan(size);
  }
  return out;
}

std::string gzipped(std::string_view text) {
  constexpr int level = 9;
  const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> compressor(
      libdeflate_alloc_compressor(level), &libdeflate_free_compressor);
  if (!compressor) throw std::bad_alloc();
  std::string out(libdeflate_gzip_compress_bound(compressor.get(), text.size()), '\0');
  const std::size_t size = libdeflate_gzip_compress(compressor.get(), text.data(), text.size(), out.data(), out.size());
  if (size == 0) throw Error(ErrorCode::internal, "the page's data cannot be compressed");
  out.resize(size);
  return out;
}

std::string policy_hash(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(unsigned_bytes(text).data(), text.size(), digest.data());
  return "'sha256-" + base64(digest) + "'";
}

std::string data_element(std::string_view id, std::string_view text) {
  std::string out = "<script type=\"application/x-pleat\" id=\"";
  out += id;
  out += "\">";
  out += base64(unsigned_bytes(gzipped(text)));
  return out += "</script>\n";
}

void Blob::add_bytes(const std::string& name, const char* type, std::size_t count, std::string_view bytes) {
  constexpr std::size_t alignment = 8;  // a browser's arrays begin at multiples of their element's size
  bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment);
  arrays_[name] = {{"type", type}, {"at", bytes_.size()}, {"count", count}};
  bytes_ += bytes;
}

void Blob::add(const std::string& name, std::span<const float> values) {
  add_bytes(name, "f4", values.size(), bytes_of(values));
}

void Blob::add(const std::string& name, std::span<const std::uint8_t> values) {
  add_bytes(name, "u1", values.size(), bytes_of(values));
}

void Blob::add(const std::string& name, std::span<const std::uint16_t> values) {
  add_bytes(name, "u2", values.size(), bytes_of(values));
}

void Blob::add(const std::string& name, std::span<const std::int32_t> values) {
  add_bytes(name, "i4", values.size(), bytes_of(values));
}

void Blob::add_texts(const std::string& name, std::span<const std::string> texts, std::size_t longest) {
  std::string all;
  std::vector<std::int32_t> offsets{0};
  for (const std::string& text : texts) {
    all += cut(text, longest);
    offsets.push_back(static_cast<std::int32_t>(all.size()));
  }
  add_bytes(name, "text", texts.size(), all);
  add(name + ".offsets", std::span<const std::int32_t>(offsets));
}

void Blob::add_differences(const std::string& name, std::span<const std::int32_t> values) {
  const std::size_t count = values.size();
  std::string planes(4 * count, '\0');
  std::uint32_t before = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = static_cast<std::uint32_t>(values[i]);
    const std::uint32_t difference = value - before;
    // The sign goes to the lowest bit, so that small differences have three empty bytes.
    const std::uint32_t folded = difference << 1U ^ (0U - (difference >> 31U));
    for (std::size_t plane = 0; plane < 4; ++plane) {
      planes[plane * count + i] = static_cast<char>(folded >> (8 * plane) & 0xFFU);
    }
    before = value;
  }
  add_bytes(name, "differences", count, planes);
}

std::string Blob::element(std::string_view id) const {
  const std::string head =
      Json{{"meta", meta}, {"arrays", arrays_}}.dump(-1, ' ', false, Json::error_handler_t::replace);
  const auto size = static_cast<std::uint32_t>(head.size());
  std::string all(reinterpret_cast<const char*>(&size), sizeof size);
  all += head;
  all.resize((all.size() + 7) / 8 * 8);
  return data_element(id, all + bytes_);
}

}  // namespace pleat
