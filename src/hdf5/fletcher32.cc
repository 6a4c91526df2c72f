#include "hdf5/fletcher32.h"

#include <algorithm>

namespace pleat {
namespace {

// Down to 16 bits in one's complement: the remainder by 65535, where a positive multiple of it stays 65535.
std::uint64_t fold(std::uint64_t sum) { return sum == 0 ? 0 : (sum - 1) % 65535 + 1; }

}  // namespace

std::uint32_t fletcher32(std::span<const std::byte> data) {
  constexpr std::size_t block_words = 65536;  // the sums of a block stay far below 2^64
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  const std::size_t words = data.size() / 2;
  for (std::size_t begin = 0; begin < words; begin += block_words) {
    const std::size_t end = std::min(words, begin + block_words);
    for (std::size_t i = begin; i < end; ++i) {
      first += std::to_integer<std::uint64_t>(data[2 * i]) << 8 | std::to_integer<std::uint64_t>(data[2 * i + 1]);
      second += first;
    }
    first = fold(first);
    second = fold(second);
  }
  if (data.size() % 2 == 1) {
    first += std::to_integer<std::uint64_t>(data.back()) << 8;
    second += first;
  }
  return static_cast<std::uint32_t>(fold(second) << 16 | fold(first));
}

}  // namespace pleat
