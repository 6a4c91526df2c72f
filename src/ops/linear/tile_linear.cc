#include "ops/linear/tile_linear.h"

#include <atomic>
#include <bit>

#include "ops/cpu/path.h"

namespace pleat::cpu {

namespace tiles_plain {
extern const TileKernels table;
}
namespace tiles_amx {
extern const TileKernels table;
}

namespace {

constexpr std::int64_t side = 32;  // columns of a panel, and depths of a step
constexpr std::int64_t tile = 512;

std::int64_t rounded(std::int64_t n) { return (n + side - 1) / side * side; }

std::uint16_t nearest_bfloat16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return static_cast<std::uint16_t>(x != x ? 0x7fc0U : (bits + 0x7fffU + (bits >> 16U & 1U)) >> 16U);
}

std::atomic<const TileKernels*>& chosen() {
  static std::atomic<const TileKernels*> kernels = tile_kernels_of_the_path();
  return kernels;
}

float widened(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U); }

}  // namespace

std::int64_t tiles_size(std::int64_t in, std::int64_t out, Element element) {
  return rounded(in) * rounded(out) * (element == Element::float32 ? 2 : 1);
}

void pack_tiles(const void* weight, std::int64_t in, std::int64_t out, Element element, std::uint16_t* panels) {
  const bool split = element == Element::float32;
  const std::int64_t step_size = (split ? 4 : 2) * tile;
  const auto* const whole = static_cast<const float*>(weight);
  const auto* const half = static_cast<const std::uint16_t*>(weight);
  for (std::int64_t panel = 0; panel < out; panel += side) {
    for (std::int64_t first = 0; first < in; first += side, panels += step_size) {
      for (std::int64_t c = 0; c < side; ++c) {
        for (std::int64_t d = 0; d < side; ++d) {
          const bool inside = panel + c < out && first + d < in;
          const std::int64_t from = inside ? (panel + c) * in + first + d : 0;
          std::uint16_t* const to = panels + c / 16 * tile + d / 2 * 32 + c % 16 * 2 + d % 2;
          if (!split) {
            to[0] = inside ? half[from] : 0;
          } else {
            const float value = inside ? whole[from] : 0.0F;
            to[0] = nearest_bfloat16(value);
            to[2 * tile] = nearest_bfloat16(value - widened(to[0]));
          }
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

const TileKernels* tile_kernels() { return chosen().load(std::memory_order_relaxed); }

void use_tile_kernels(const TileKernels* kernels) { chosen().store(kernels, std::memory_order_relaxed); }

}  // namespace pleat::cpu
