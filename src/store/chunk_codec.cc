#include "chunk_codec.h"

#include <libdeflate.h>

#include <cstdint>
#include <new>

#include "fletcher32.h"
#include "pleat/core/error.h"
#include "pleat/store/schema.h"

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
  const std::size_t bound = libdeflate_zlib_compress_bound(compressor_.get(), input.size());
  if (encoded_.size() < bound + checksum_bytes) encoded_.resize(bound + checksum_bytes);
  const std::size_t size =
      libdeflate_zlib_compress(compressor_.get(), input.data(), input.size(), encoded_.data(), bound);
  if (size == 0) throw Error(ErrorCode::internal, "a chunk did not fit into its largest compressed size");
  const std::uint32_t checksum = fletcher32({encoded_.data(), size});
  for (std::size_t i = 0; i < checksum_bytes; ++i) encoded_[size + i] = static_cast<std::byte>(checksum >> (8 * i));
  return {encoded_.data(), size + checksum_bytes};
}

}  // namespace pleat
