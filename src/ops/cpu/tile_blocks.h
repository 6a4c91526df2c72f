// Products of bfloat16 matrices in blocks of 32 by 32, by the tiles of Intel's AMX. Included by the source files that
// are compiled for such a processor, see vector.h.
//
// A "tile" is 16 rows of 32 bfloat16 numbers, 1 KB. Of a left operand [rows, depth] it holds 16 rows at 32 depths; of a
// right operand [depth, columns] it holds 32 depths at 16 columns, the depths in pairs: [16 pairs, 16 columns, 2]. A
// "step" is what a block needs of 32 depths: two tiles of an operand.
//
// Each element of a product is one chain of additions in the order of depth, so that its bits do not depend on where it
// lies in a block, nor on what else is in it.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#ifdef __AMX_BF16__
#include <immintrin.h>
#endif

#include "ops/cpu/tile_shape.h"
#include "ops/cpu/vector.h"

namespace pleat::cpu {

inline constexpr std::int64_t block_floats =
    std::int64_t{32} * 32;  // sums of a block: four tiles [16, 16], row by row of tiles

namespace {

// What AMX does, in plain arithmetic, so that a test needs none. Intel's manual, TDPBF16PS: the sum over even depths
// and that over odd ones are added at the end of a step.
struct PlainTiles {
  static void begin() {}
  static void end() {}

  template <int t>
  static void zero() {
    std::memset(sums(t), 0, 1024);
  }
  template <int t>
  static void load(const void* from) {
    std::memcpy(words(t), from, 1024);
  }
  template <int t>
  static void store(void* to) {
    std::memcpy(to, words(t), 1024);
  }
  template <int sum, int a, int b>
  static void multiply() {
    for (int row = 0; row < 16; ++row) {
      for (int column = 0; column < 16; ++column) {
        float even = 0;
        float odd = 0;
        for (int pair = 0; pair < 16; ++pair) {
          // A product of two bfloat16 numbers is exact in float32, so that this rounds as often as a fused one.
          even += half(a, row, 2 * pair) * half(b, pair, 2 * column);
          odd += half(a, row, 2 * pair + 1) * half(b, pair, 2 * column + 1);
        }
        sums(sum)[row * 16 + column] += even + odd;
      }
    }
  }

 private:
  static std::uint32_t* words(int t) {
    thread_local std::uint32_t registers[8][256];
    return registers[t];
  }
  static float* sums(int t) { return reinterpret_cast<float*>(words(t)); }
  static float half(int t, int row, int place) {
    const std::uint32_t word = words(t)[row * 16 + place / 2];
    return std::bit_cast<float>(place % 2 == 0 ? word << 16U : word & 0xffff0000U);
  }
};

#ifdef __AMX_BF16__
struct AmxTiles {
  // Between begin() and end() the tiles' registers are this thread's; what is left in them slows a switch of threads.
  static void begin() {
    struct alignas(64) Configuration {
      std::uint8_t palette = 1;
      std::uint8_t start_row = 0;
      std::uint8_t reserved[14] = {};
      std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    };
    const Configuration configuration;
    _tile_loadconfig(&configuration);
  }
  static void end() { _tile_release(); }

  // In assembly, since GCC's intrinsics take no template's constant for a register's number.
  template <int t>
  static void zero() {
    asm volatile("tilezero %%tmm%c0" ::"i"(t));
  }
  template <int t>
  static void load(const void* from) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(64L), "i"(t) : "memory");
  }
  template <int t>
  static void store(void* to) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(64L), "i"(t) : "memory");
  }
  template <int sum, int a, int b>
  static void multiply() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(sum), "i"(a), "i"(b));
  }
};
#endif

// Blocks by tiles: sums in registers 0 to 3, left operands in 4 and 5, right ones in 6 and 7.
template <class Tiles>
struct TileBlocks {
  static void begin() { Tiles::begin(); }
  static void end() { Tiles::end(); }

  // sums = (first ? 0 : sums) + a b over `steps` steps, for one or two tiles of rows. sums [2, 2] tiles of [16, 16].
  static void multiply(std::int64_t steps, std::int64_t row_tiles, const std::uint16_t* a, const std::uint16_t* b,
                       float* sums, bool first) {
    if (row_tiles > 1) {
      run<true>(steps, a, b, sums, first);
    } else {
      run<false>(steps, a, b, sums, first);
    }
  }

 private:
  template <bool both>
  static void run(std::int64_t steps, const std::uint16_t* a, const std::uint16_t* b, float* sums, bool first) {
    if (first) {
      Tiles::template zero<0>();
      Tiles::template zero<1>();
      if constexpr (both) Tiles::template zero<2>();
      if constexpr (both) Tiles::template zero<3>();
    } else {
      Tiles::template load<0>(sums);
      Tiles::template load<1>(sums + 256);
      if constexpr (both) Tiles::template load<2>(sums + 512);
      if constexpr (both) Tiles::template load<3>(sums + 768);
    }
    for (std::int64_t s = 0; s < steps; ++s, a += step_halves, b += step_halves) {
      Tiles::template load<4>(a);
      if constexpr (both) Tiles::template load<5>(a + tile_halves);
      Tiles::template load<6>(b);
      Tiles::template load<7>(b + tile_halves);
      Tiles::template multiply<0, 4, 6>();
      Tiles::template multiply<1, 4, 7>();
      if constexpr (both) {
        Tiles::template multiply<2, 5, 6>();
        Tiles::template multiply<3, 5, 7>();
      }
    }
    Tiles::template store<0>(sums);
    Tiles::template store<1>(sums + 256);
    if constexpr (both) Tiles::template store<2>(sums + 512);
    if constexpr (both) Tiles::template store<3>(sums + 768);
  }
};

}  // namespace
}  // namespace pleat::cpu
