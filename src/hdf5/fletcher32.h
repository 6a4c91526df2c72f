// The checksum that HDF5's fletcher32 filter appends to each chunk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace pleat {

// Sums over big-endian 16-bit words; an odd last byte counts as the high half of a word. The HDF5 file format stores
// the result little-endian behind the chunk.
[[nodiscard]] std::uint32_t fletcher32(std::span<const std::byte> data);

}  // namespace pleat
