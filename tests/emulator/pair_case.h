// A pair state, and operations that change it in place, for the tests of their kernels.
#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "emulator/plain.h"
#include "ops/cuda/packing.h"

namespace pleat::emulator {

// A weight as the kernels take it.
inline std::vector<cuda::bf16> packed(const Linear& linear, const cuda::Packing& packing) {
  std::vector<cuda::bf16> bits;
  for (const std::int64_t place : cuda::packed_places(std::int64_t(linear.n), std::int64_t(linear.k), packing)) {
    bits.push_back(linear.bits[static_cast<std::size_t>(place)]);
  }
  return bits;
}
template <class T>
void append(std::vector<T>& to, const std::vector<T>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

struct PairCase {
  int length;
  std::size_t n;
  std::vector<float> before;
  Buffer<float> z;

  PairCase(Random& random, int L)
      : length(L), n(static_cast<std::size_t>(L)), before(random_pairs(random, L)), z(before.size()) {}
  [[nodiscard]] const float* pair(std::size_t i, std::size_t j) const { return before.data() + (i * n + j) * C; }

  // z after `run`.
  std::vector<float> after(const std::function<cudaError_t()>& run) {
    z = before;
    EXPECT_EQ(run(), cudaSuccess);
    return z.values();
  }

  // That `run`, which may be told of a GPU, adds what `formula` says of pair (i, j), the same bits on every GPU, and
  // writes nothing beside.
  void expect_added(const std::function<cudaError_t(const cuda::Gpu&)>& run,
                    const std::function<std::vector<double>(std::size_t i, std::size_t j)>& formula) {
    std::vector<float> result;
    {
      const WithOptions options({.seed = 1});
      result = after([&] { return run(h100); });
      EXPECT_EQ(Machine::get().seen.conflicts, 0) << "of " << Machine::get().seen.matrices;
    }
    for (const cuda::Gpu& gpu : {a100, a10}) {
      if (length > long_enough) break;
      const WithOptions options({.seed = 77, .late_copies = false});
      EXPECT_EQ(after([&] { return run(gpu); }), result) << gpu.shared_bytes;
    }
    EXPECT_TRUE(z.is_intact());
    Difference difference;
    for (const int i : some_of(length, 7)) {
      for (std::size_t j = 0; j < n; ++j) {
        const auto row = static_cast<std::size_t>(i);
        const std::vector<double> added = formula(row, j);
        for (std::size_t c = 0; c < C; ++c) {
          const std::size_t at = (row * n + j) * C + c;
          difference.add(double{result[at]} - double{before[at]}, added[c]);
        }
      }
    }
    EXPECT_LT(difference.rms(), 1e-2);
    EXPECT_LT(difference.largest(), 5e-2);
  }
};

// With one processor each block and each warp has more than one piece of work even where z is small.
inline constexpr cuda::Gpu one_processor{.processors = 1, .shared_bytes = 232448, .capability = 90};

inline std::string name_of(const testing::TestParamInfo<int>& row) { return std::to_string(row.param); }

}  // namespace pleat::emulator
