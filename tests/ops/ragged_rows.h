// Sequences of very different lengths in one batch, with tokens between their residues that are not kept.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "compare.h"
#include "ops/collect/collect.h"

namespace pleat {

struct RaggedRows {
  std::vector<std::int64_t> tokens;     // [R]
  std::vector<std::int64_t> starts{0};  // [B+1]
  std::int64_t token_count = 0;

  // A begin and an end token each, and after 50 residues a linker of 5 tokens.
  RaggedRows() {
    for (const std::int64_t length : {1, 63, 64, 65, 129, 2}) {
      ++token_count;
      for (std::int64_t i = 0; i < length; ++i) {
        if (i == 50) token_count += 5;
        tokens.push_back(token_count++);
      }
      ++token_count;
      starts.push_back(static_cast<std::int64_t>(tokens.size()));
    }
  }
  [[nodiscard]] KeptRows on(at::Device device) const { return KeptRows::make(tokens, starts, device); }
  // [T, width]: multiples of 2^-18, whose sums float64 holds exactly, in whatever order, and float32 does not.
  [[nodiscard]] at::Tensor exact(std::int64_t width) const {
    return (random_tensor({token_count, width}, 21) * (3 << 18)).round() / (1 << 18);
  }
  // The later half of each sequence's rows is the earlier one, negative, and a row between them is 0. The numbers are
  // of very different sizes, so that rounding alone is left of their sum, which shows in what order they were added.
  [[nodiscard]] at::Tensor cancelling(std::int64_t width) const {
    const at::Tensor x = random_tensor({token_count, width}, 22) * at::pow(2, at::randint(60, {token_count, width}));
    for (std::size_t s = 0; s + 1 < starts.size(); ++s) {
      const std::int64_t length = starts[s + 1] - starts[s];
      const auto row = [&](std::int64_t i) { return x[tokens[starts[s] + i]]; };
      for (std::int64_t i = 0; i < length / 2; ++i) row((length + 1) / 2 + i).copy_(-row(i));
      if (length % 2 == 1) row(length / 2).zero_();
    }
    return x;
  }
};

inline void expect_means_alone_as_in_company(at::Device device, std::int64_t width) {
  const RaggedRows ragged;
  const at::Tensor hidden = ragged.cancelling(width).to(device);
  const WantedRows wanted{.type = at::kFloat, .means = true};
  const at::Tensor together = collect_rows(hidden, ragged.on(device), wanted).means.values;
  for (std::int64_t s = 0; s < together.size(0); ++s) {
    const auto begin = ragged.tokens.begin() + ragged.starts[s];
    const auto end = ragged.tokens.begin() + ragged.starts[s + 1];
    const KeptRows own = KeptRows::make({begin, end}, {0, end - begin}, device);
    EXPECT_TRUE(at::equal(collect_rows(hidden, own, wanted).means.values[0], together[s])) << "sequence " << s;
  }
}

}  // namespace pleat
