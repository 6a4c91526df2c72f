#include "hdf5/chunk_codec.h"

#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <new>

#include "core/error.h"
#include "format/schema.h"
#include "hdf5/fletcher32.h"

namespace pleat {
namespace {

// All first bytes of the elements, then all second bytes, and so on. The size is a constant so that the loops
// vectorise.
template <std::size_t Size>
void shuffle_fixed(std::span<const std::byte> raw, std::byte* out) {
  const std::size_t count = raw.size() / Size;
  for (std::size_t k = 0; k < Size; ++k) {
    std::byte* const plane = out + k * count;
    for (std::size_t i = 0; i < count; ++i) plane[i] = raw[i * Size + k];
  }
}

void shuffle(std::span<const std::byte> raw, std::size_t element_size, std::byte* out) {
  switch (element_size) {
    case 2: return shuffle_fixed<2>(raw, out);
    case 4: return shuffle_fixed<4>(raw, out);
    case 8: return shuffle_fixed<8>(raw, out);
    default: throw Error(ErrorCode::internal, "no shuffle for elements of " + std::to_string(element_size) + " bytes");
  }
}

// A zlib stream (RFC 1950): this head, deflate blocks (RFC 1951), and the Adler-32 of the data. The head's second byte
// says "fast" and makes both together a multiple of 31.
constexpr std::array<std::byte, 2> zlib_head{std::byte{0x78}, std::byte{0x5e}};
constexpr std::size_t zlib_tail_bytes = 4;
constexpr std::size_t block_head_bytes = 5;
constexpr std::size_t largest_block = 65535;

// Of a plane of bytes, pieces from its begin to its end are tried. A plane is stored as it is when none of them gets
// smaller than this.
constexpr std::size_t sample_bytes = 8192;
constexpr std::size_t samples = 4;
constexpr double not_worth_it = 0.98;

// `data` as blocks that are not compressed and not the last ones. Returns the bytes written.
std::size_t write_stored(std::span<const std::byte> data, std::byte* out) {
  std::byte* const begin = out;
  while (!data.empty()) {
    const std::size_t size = std::min(data.size(), largest_block);
    const auto low = static_cast<std::byte>(size & 0xff);
    const auto high = static_cast<std::byte>(size >> 8);
    for (const std::byte byte : {std::byte{0}, low, high, ~low, ~high}) *out++ = byte;
    std::memcpy(out, data.data(), size);
    out += size;
    data = data.subspan(size);
  }
  return static_cast<std::size_t>(out - begin);
}

std::size_t stored_bound(std::size_t size) {
  return size + block_head_bytes * ((size + largest_block - 1) / largest_block);
}

}  // namespace

void ChunkCodec::FreeCompressor::operator()(libdeflate_compressor* compressor) const {
  libdeflate_free_compressor(compressor);
}

ChunkCodec::ChunkCodec() : compressor_(libdeflate_alloc_compressor(schema::deflate_level)) {
  if (!compressor_) throw std::bad_alloc();
}
ChunkCodec::~ChunkCodec() = default;
ChunkCodec::ChunkCodec(ChunkCodec&&) noexcept = default;
ChunkCodec& ChunkCodec::operator=(ChunkCodec&&) noexcept = default;

std::span<const std::byte> ChunkCodec::encode(std::span<const std::byte> raw, std::size_t element_size) {
  constexpr std::size_t checksum_bytes = 4;
  std::span<const std::byte> input = raw;
  if (element_size > 1) {
    shuffled_.resize(raw.size());
    shuffle(raw, element_size, shuffled_.data());
    input = shuffled_;
  }
  const std::size_t noise = noise_bytes(input, element_size);
  const std::span<const std::byte> rest = input.subspan(noise);
  const std::size_t bound = libdeflate_deflate_compress_bound(compressor_.get(), rest.size());
  const std::size_t most = zlib_head.size() + stored_bound(noise) + bound + zlib_tail_bytes + checksum_bytes;
  if (encoded_.size() < most) encoded_.resize(most);
  std::ranges::copy(zlib_head, encoded_.begin());
  std::size_t size = zlib_head.size();
  size += write_stored(input.first(noise), encoded_.data() + size);
  const std::size_t compressed =
      libdeflate_deflate_compress(compressor_.get(), rest.data(), rest.size(), encoded_.data() + size, bound);
  if (compressed == 0) throw Error(ErrorCode::internal, "a chunk did not fit into its largest compressed size");
  size += compressed;
  const std::uint32_t adler = libdeflate_adler32(1, input.data(), input.size());
  for (std::size_t i = 0; i < zlib_tail_bytes; ++i) {
    encoded_[size++] = static_cast<std::byte>(adler >> (8 * (zlib_tail_bytes - 1 - i)));
  }
  const std::uint32_t checksum = fletcher32({encoded_.data(), size});
  for (std::size_t i = 0; i < checksum_bytes; ++i) encoded_[size + i] = static_cast<std::byte>(checksum >> (8 * i));
  return {encoded_.data(), size + checksum_bytes};
}

// The low bytes of floating-point numbers are noise: the search for repeats in them takes as long as in all others, and
// finds nothing. Shuffled, they come first.
std::size_t ChunkCodec::noise_bytes(std::span<const std::byte> shuffled, std::size_t element_size) {
  const std::size_t plane_bytes = shuffled.size() / element_size;
  if (element_size == 1 || plane_bytes < samples * sample_bytes) return 0;
  sample_.resize(sample_bytes);
  std::size_t noise = 0;
  while (noise < shuffled.size() && is_noise(shuffled.subspan(noise, plane_bytes))) noise += plane_bytes;
  return noise;
}

bool ChunkCodec::is_noise(std::span<const std::byte> plane) {
  const auto limit = static_cast<std::size_t>(not_worth_it * sample_bytes);
  for (std::size_t i = 0; i < samples; ++i) {
    const std::size_t begin = (plane.size() - sample_bytes) * i / (samples - 1);
    // 0 where it does not get smaller than the limit.
    if (libdeflate_deflate_compress(compressor_.get(), &plane[begin], sample_bytes, sample_.data(), limit) > 0) {
      return false;
    }
  }
  return true;
}

}  // namespace pleat
