// One chunk through the file's filters (shuffle, deflate, fletcher32), ready for a direct write.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

struct libdeflate_compressor;

namespace pleat {

// Keeps its buffers from one chunk to the next. One thread at a time.
class ChunkCodec {
 public:
  ChunkCodec();
  ~ChunkCodec();
  ChunkCodec(ChunkCodec&&) noexcept;
  ChunkCodec& operator=(ChunkCodec&&) noexcept;
  ChunkCodec(const ChunkCodec&) = delete;
  ChunkCodec& operator=(const ChunkCodec&) = delete;

  // `raw` is a whole number of elements. The answer lives until the next call.
  [[nodiscard]] std::span<const std::byte> encode(std::span<const std::byte> raw, std::size_t element_size);

 private:
  struct FreeCompressor {
    void operator()(libdeflate_compressor* compressor) const;
  };
  // How many bytes at the begin of a shuffled chunk are not worth compressing: whole planes of bytes.
  [[nodiscard]] std::size_t noise_bytes(std::span<const std::byte> shuffled, std::size_t element_size);
  [[nodiscard]] bool is_noise(std::span<const std::byte> plane);

  std::unique_ptr<libdeflate_compressor, FreeCompressor> compressor_;
  std::vector<std::byte> shuffled_;
  std::vector<std::byte> encoded_;
  std::vector<std::byte> sample_;
};

}  // namespace pleat
