// What src/ops/cuda/device.cuh gives the kernels on a GPU, given by the emulator: CUDA's names, and the instructions.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <source_location>

#include "emulator/machine.h"
#include "emulator/runtime.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static
#define PLEAT_SHARED_MEMORY(name) unsigned char* const name = ::pleat::emulator::Machine::get().shared()

struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) double2 {
  double x, y;
};
struct alignas(16) uint4 {
  std::uint32_t x, y, z, w;
};
struct alignas(8) uint2 {
  std::uint32_t x, y;
};
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline float2 make_float2(float x, float y) { return {x, y}; }
inline double2 make_double2(double x, double y) { return {x, y}; }
inline uint4 make_uint4(std::uint32_t x, std::uint32_t y, std::uint32_t z, std::uint32_t w) { return {x, y, z, w}; }
inline uint2 make_uint2(std::uint32_t x, std::uint32_t y) { return {x, y}; }

namespace pleat::emulator {

struct Index {
  int x;
  int y;
};
inline Index thread_index() { return {Machine::get().thread().id, 0}; }
inline Index block_index() {
  const Size at = Machine::get().block_index;
  return {static_cast<int>(at.x), static_cast<int>(at.y)};
}
inline Index block_size() { return {Machine::get().block_size, 1}; }
inline Index grid_size() {
  const Size size = Machine::get().grid_size;
  return {static_cast<int>(size.x), static_cast<int>(size.y)};
}

// Numbers of 16 bits. bfloat16 is rounded to nearest even.
inline float bf16_value(std::uint32_t bits) { return std::bit_cast<float>(bits << 16); }
inline std::uint16_t bf16_bits(float x) {
  if (std::isnan(x)) return 0x7fff;
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}
inline float fp16_value(std::uint32_t bits) {
  return static_cast<float>(std::bit_cast<_Float16>(static_cast<std::uint16_t>(bits)));
}
inline std::uint16_t fp16_bits(float x) { return std::bit_cast<std::uint16_t>(static_cast<_Float16>(x)); }

}  // namespace pleat::emulator

#define threadIdx (::pleat::emulator::thread_index())
#define blockIdx (::pleat::emulator::block_index())
#define blockDim (::pleat::emulator::block_size())
#define gridDim (::pleat::emulator::grid_size())

namespace pleat::cuda {

using std::max;
using std::min;
using Here = std::source_location;

inline std::uint32_t shared_address(const void* p) {
  return static_cast<std::uint32_t>(static_cast<const unsigned char*>(p) - emulator::Machine::get().shared());
}

// Lane 4 g + t of a fragment.
inline int group_of(int lane) { return lane >> 2; }
inline int place_of(int lane) { return lane & 3; }

inline void load_matrices(std::uint32_t (&r)[4], std::uint32_t address, bool transposed) {
  emulator::Machine& machine = emulator::Machine::get();
  emulator::Warp& warp = machine.warp();
  const auto lane = static_cast<std::size_t>(machine.lane());
  warp.address[lane] = address;
  machine.meet(warp.meeting, 32, transposed ? "ldmatrix.trans" : "ldmatrix", [&] {
    for (std::size_t m = 0; m < 4; ++m) {
      std::uint32_t banks[8] = {};
      std::uint16_t rows[8][8];
      for (std::size_t row = 0; row < 8; ++row) {
        const std::uint32_t at = warp.address[8 * m + row];
        std::memcpy(rows[row], machine.shared(at, 16), 16);
        ++machine.seen.matrices;
        std::uint32_t& bank = banks[(at >> 4) & 7];  // the row that has these four banks, or 0
        if (bank != 0 && bank != at + 1) ++machine.seen.conflicts;
        bank = at + 1;
      }
      for (int l = 0; l < 32; ++l) {
        const int g = group_of(l);
        const int t = place_of(l);
        const std::uint32_t low = transposed ? rows[2 * t][g] : rows[g][2 * t];
        const std::uint32_t high = transposed ? rows[2 * t + 1][g] : rows[g][2 * t + 1];
        warp.out[static_cast<std::size_t>(l)][m] = low | high << 16;
      }
    }
  });
  for (std::size_t m = 0; m < 4; ++m) r[m] = warp.out[lane][m];
}
inline void ldmatrix(std::uint32_t (&r)[4], std::uint32_t address) { load_matrices(r, address, false); }
inline void ldmatrix_of_weights(std::uint32_t (&r)[4], std::uint32_t address) { load_matrices(r, address, false); }
inline void ldmatrix_transposed(std::uint32_t (&r)[4], std::uint32_t address) { load_matrices(r, address, true); }

// d = a b + c by a warp, a 16 x 8 Steps, b 8 Steps x 8, of numbers that `value` widens.
template <int Steps, float (*Value)(std::uint32_t)>
void multiply(float (&d)[4], const std::uint32_t* a, const std::uint32_t* b, const float (&c)[4], const char* what) {
  emulator::Machine& machine = emulator::Machine::get();
  emulator::Warp& warp = machine.warp();
  const auto lane = static_cast<std::size_t>(machine.lane());
  for (std::size_t i = 0; i < 2 * Steps; ++i) warp.a[lane][i] = a[i];
  for (std::size_t i = 0; i < Steps; ++i) warp.b[lane][i] = b[i];
  for (std::size_t i = 0; i < 4; ++i) warp.c[lane][i] = c[i];
  machine.meet(warp.meeting, 32, what, [&] {
    float left[16][8 * Steps];
    float right[8 * Steps][8];
    float sum[16][8];
    for (int l = 0; l < 32; ++l) {
      const auto from = static_cast<std::size_t>(l);
      const int g = group_of(l);
      const int t = place_of(l);
      for (int i = 0; i < 2 * Steps; ++i) {
        for (int e = 0; e < 2; ++e) {
          left[g + 8 * (i & 1)][2 * t + e + 8 * (i >> 1)] =
              Value(warp.a[from][static_cast<std::size_t>(i)] >> (16 * e) & 0xffff);
        }
      }
      for (int i = 0; i < Steps; ++i) {
        for (int e = 0; e < 2; ++e) {
          right[2 * t + e + 8 * i][g] = Value(warp.b[from][static_cast<std::size_t>(i)] >> (16 * e) & 0xffff);
        }
      }
      for (int i = 0; i < 4; ++i) sum[g + 8 * (i >> 1)][2 * t + (i & 1)] = warp.c[from][static_cast<std::size_t>(i)];
    }
    for (int row = 0; row < 16; ++row) {
      float of_row[8];
      std::memcpy(of_row, sum[row], sizeof(of_row));
      for (int k = 0; k < 8 * Steps; ++k) {
        for (int column = 0; column < 8; ++column) of_row[column] += left[row][k] * right[k][column];
      }
      std::memcpy(sum[row], of_row, sizeof(of_row));
    }
    for (int l = 0; l < 32; ++l) {
      for (int i = 0; i < 4; ++i) {
        warp.c[static_cast<std::size_t>(l)][static_cast<std::size_t>(i)] =
            sum[group_of(l) + 8 * (i >> 1)][2 * place_of(l) + (i & 1)];
      }
    }
  });
  // Read before the next meeting of this warp can act, since that needs this lane.
  for (std::size_t i = 0; i < 4; ++i) d[i] = warp.c[lane][i];
}
inline void mma(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1, const float (&c)[4]) {
  const std::uint32_t b[2] = {b0, b1};
  multiply<2, emulator::bf16_value>(d, a, b, c, "mma");
}
inline void mma_add(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
  mma(d, a, b0, b1, d);
}
inline void mma_add_here(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
  mma(d, a, b0, b1, d);
}
inline void mma_add_fp16(float (&d)[4], std::uint32_t a0, std::uint32_t a1, std::uint32_t b0) {
  const std::uint32_t a[2] = {a0, a1};
  multiply<1, emulator::fp16_value>(d, a, &b0, d, "mma.f16");
}

inline void copy16(std::uint32_t to, const void* from, bool valid = true) {
  emulator::Machine::get().copy(to, from, valid);
}
inline void commit_copies() { emulator::Machine::get().commit_copies(); }
template <int Open>
void wait_for_copies(const Here& here = Here::current()) {
  emulator::Machine& machine = emulator::Machine::get();
  if (machine.waits_at(emulator::Wait::copies, here)) machine.wait_for_copies(Open);
}

inline void sync_block(const Here& here = Here::current()) {
  emulator::Machine& machine = emulator::Machine::get();
  if (machine.waits_at(emulator::Wait::block, here))
    machine.meet(machine.barrier(0), machine.block_size, "bar.sync 0", [] {});
}
inline void sync_threads(int id, int count, const Here& here = Here::current()) {
  emulator::Machine& machine = emulator::Machine::get();
  if (machine.waits_at(emulator::Wait::block, here)) machine.meet(machine.barrier(id), count, "bar.sync", [] {});
}
inline void sync_warp(const Here& here = Here::current()) {
  emulator::Machine& machine = emulator::Machine::get();
  if (machine.waits_at(emulator::Wait::warp, here)) machine.meet(machine.warp().meeting, 32, "bar.warp.sync", [] {});
}

inline float shuffle_xor(float x, int mask) {
  emulator::Machine& machine = emulator::Machine::get();
  emulator::Warp& warp = machine.warp();
  const auto lane = static_cast<std::size_t>(machine.lane());
  warp.given[lane] = x;
  machine.meet(warp.meeting, 32, "shfl", [&] {
    for (std::size_t l = 0; l < 32; ++l) warp.taken[l] = warp.given[l ^ static_cast<std::size_t>(mask)];
  });
  return warp.taken[lane];
}
inline bool any_in_warp(bool x) {
  emulator::Machine& machine = emulator::Machine::get();
  emulator::Warp& warp = machine.warp();
  const auto lane = static_cast<std::size_t>(machine.lane());
  warp.given[lane] = x ? 1.0f : 0.0f;
  machine.meet(warp.meeting, 32, "vote", [&] {
    const float any = *std::max_element(warp.given.begin(), warp.given.end());
    warp.taken.fill(any);
  });
  return warp.taken[lane] != 0;
}
inline int reduce_in_warp(int x, bool largest) {
  emulator::Machine& machine = emulator::Machine::get();
  emulator::Warp& warp = machine.warp();
  auto& numbers = warp.numbers;
  numbers[static_cast<std::size_t>(machine.lane())] = x;
  machine.meet(warp.meeting, 32, largest ? "redux.max" : "redux.min", [&] {
    const auto [least, most] = std::minmax_element(numbers.begin(), numbers.end());
    warp.reduced = largest ? *most : *least;
  });
  return warp.reduced;
}
inline int min_in_warp(int x) { return reduce_in_warp(x, false); }
inline int max_in_warp(int x) { return reduce_in_warp(x, true); }
inline int warp_of(int thread) { return thread >> 5; }
inline int thread_again() { return emulator::Machine::get().thread().id; }

inline float exp2_fast(float x) { return x < -126 ? 0.0f : std::exp2(x); }
inline float exp2_here(float x) { return exp2_fast(x); }
inline float reciprocal(float x) { return 1.0f / x; }
inline float inverse_root(float x) { return 1.0f / std::sqrt(x); }
inline float square_root(float x) { return std::sqrt(x); }
inline float exponential(float x) { return std::exp(x); }
inline std::uint32_t pack_bf16(float low, float high) {
  return emulator::bf16_bits(low) | std::uint32_t{emulator::bf16_bits(high)} << 16;
}
inline std::uint16_t to_fp16(float x) { return emulator::fp16_bits(x); }
inline float as_float(std::uint32_t bits) { return std::bit_cast<float>(bits); }
inline int as_int(float x) { return std::bit_cast<int>(x); }

inline float2 unpack_fp16(std::uint32_t bits) {
  return {emulator::fp16_value(bits & 0xffff), emulator::fp16_value(bits >> 16)};
}
inline std::uint32_t pack_fp16(float low, float high) {
  return emulator::fp16_bits(low) | std::uint32_t{emulator::fp16_bits(high)} << 16;
}
inline float multiply_rounded(float a, float b) { return a * b; }
inline float add_rounded(float a, float b) { return a + b; }
inline float positive_part(float x) { return x < 0 ? 0.0f : x; }
template <class T>
T load_once(const T* p) {
  return *p;
}

inline float4 load_shared(std::uint32_t address) {
  float4 v{};
  std::memcpy(&v, emulator::Machine::get().shared(address, 16), 16);
  return v;
}
inline float4 reload(const float* p) { return *reinterpret_cast<const float4*>(p); }

// wgmma is done when it is issued: its waits have nothing to wait for here.
inline void fence_for_wgmma_reads() {}
inline void wgmma_fence() {}
inline void wgmma_commit() {}
template <int Open>
void wgmma_wait() {}
template <int N>
void hold(float (& /*v*/)[N]) {}
inline void hold(std::uint32_t (& /*v*/)[4][4]) {}

// One number of the tile of rows of 128 bytes that a descriptor gives: K-major, swizzled in groups of eight rows.
inline float tile_value(std::uint64_t descriptor, int row, int k) {
  const auto begin = static_cast<std::uint32_t>(descriptor & 0x3fff) << 4;
  const auto group_bytes = static_cast<std::uint32_t>((descriptor >> 32) & 0x3fff) << 4;
  std::uint32_t at =
      begin + static_cast<std::uint32_t>(row / 8) * group_bytes + static_cast<std::uint32_t>(row % 8 * 128 + 2 * k);
  at ^= ((at >> 7) & 7) << 4;
  std::uint16_t bits = 0;
  std::memcpy(&bits, emulator::Machine::get().shared(at, 2), 2);
  return emulator::bf16_value(bits);
}

// d [64, 2 D] += a [64, 16] b, b the tile of 2 D rows.
template <int D>
void multiply_by_group(float (&d)[D], const std::uint32_t (&a)[4], std::uint64_t descriptor, const char* what) {
  emulator::Machine& machine = emulator::Machine::get();
  emulator::WarpGroup& group = machine.warp_group();
  const auto thread = static_cast<std::size_t>(machine.thread().id % 128);
  for (std::size_t i = 0; i < 4; ++i) group.a[thread][i] = a[i];
  group.d[thread] = d;
  group.descriptor[thread] = descriptor;
  machine.meet(group.meeting, 128, what, [&] {
    constexpr int columns = 2 * D;
    for (const std::uint64_t other : group.descriptor) {
      if (other != descriptor) throw emulator::Fault("wgmma: descriptors differ");
    }
    if (descriptor >> 62 != 1 || ((descriptor >> 49) & 7) != 0)
      throw emulator::Fault("wgmma: not a swizzle of 128 bytes");
    float left[64][16];
    float right[16][columns];
    for (int t = 0; t < 128; ++t) {
      const int row = 16 * (t / 32) + group_of(t % 32);
      for (int i = 0; i < 4; ++i) {
        for (int e = 0; e < 2; ++e) {
          left[row + 8 * (i & 1)][2 * place_of(t) + e + 8 * (i >> 1)] = emulator::bf16_value(
              group.a[static_cast<std::size_t>(t)][static_cast<std::size_t>(i)] >> (16 * e) & 0xffff);
        }
      }
    }
    for (int n = 0; n < columns; ++n) {
      for (int k = 0; k < 16; ++k) right[k][n] = tile_value(descriptor, n, k);
    }
    for (int t = 0; t < 128; ++t) {
      for (int i = 0; i < D; ++i) {
        const int row = 16 * (t / 32) + group_of(t % 32) + 8 * (i / 2 % 2);
        const int column = 8 * (i / 4) + 2 * place_of(t) + i % 2;
        float& sum = group.d[static_cast<std::size_t>(t)][i];
        for (int k = 0; k < 16; ++k) sum += left[row][k] * right[k][column];
      }
    }
  });
}
inline void wgmma_n64(float (&d)[32], const std::uint32_t (&a)[4], std::uint64_t descriptor) {
  multiply_by_group(d, a, descriptor, "wgmma.n64");
}
inline void wgmma_n128(float (&d)[64], const std::uint32_t (&a)[4], std::uint64_t descriptor) {
  multiply_by_group(d, a, descriptor, "wgmma.n128");
}

}  // namespace pleat::cuda
