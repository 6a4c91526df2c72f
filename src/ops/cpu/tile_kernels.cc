#include "ops/cpu/tile_kernels.h"

#include <atomic>

#include "ops/cpu/path.h"

namespace pleat::cpu {

namespace tiles_plain {
extern const TileKernels table;
}
namespace tiles_amx {
extern const TileKernels table;
}

namespace {

std::atomic<const TileKernels*>& chosen_tiles() {
  static std::atomic<const TileKernels*> kernels = tile_kernels_of_the_path();
  return kernels;
}

}  // namespace

std::int64_t tiles_size(std::int64_t in, std::int64_t out) { return whole_blocks(in) * whole_blocks(out); }

void pack_right_tiles(const std::uint16_t* weight, std::int64_t in, std::int64_t out, std::uint16_t* panels) {
  for (std::int64_t panel = 0; panel < out; panel += block_side) {
    for (std::int64_t first = 0; first < in; first += block_side, panels += step_halves) {
      for (std::int64_t c = 0; c < block_side; ++c) {
        for (std::int64_t d = 0; d < block_side; ++d) {
          const bool inside = panel + c < out && first + d < in;
          panels[c / 16 * tile_halves + d / 2 * 32 + c % 16 * 2 + d % 2] =
              inside ? weight[(panel + c) * in + first + d] : 0;
        }
      }
    }
  }
}

void pack_left_tiles(const std::uint16_t* weight, std::int64_t in, std::int64_t out, std::uint16_t* blocks) {
  for (std::int64_t block = 0; block < out; block += block_side) {
    for (std::int64_t first = 0; first < in; first += block_side, blocks += step_halves) {
      for (std::int64_t r = 0; r < block_side; ++r) {
        for (std::int64_t d = 0; d < block_side; ++d) {
          const bool inside = block + r < out && first + d < in;
          blocks[r * block_side + d] = inside ? weight[(block + r) * in + first + d] : 0;
        }
      }
    }
  }
}

const std::vector<const TileKernels*>& usable_tile_kernels() {
  static const std::vector<const TileKernels*> tables = [] {
    std::vector<const TileKernels*> found;
    for (const Path path : usable_paths()) {
      if (path == Path::amx) found.push_back(&tiles_amx::table);
    }
    found.push_back(&tiles_plain::table);
    return found;
  }();
  return tables;
}

const TileKernels* tile_kernels_of_the_path() { return path() == Path::amx ? &tiles_amx::table : nullptr; }

const TileKernels* tile_kernels() { return chosen_tiles().load(std::memory_order_relaxed); }

void use_tile_kernels(const TileKernels* kernels) { chosen_tiles().store(kernels, std::memory_order_relaxed); }

}  // namespace pleat::cpu
