#include <gtest/gtest.h>

#include <limits>

#include "emulator/faults.h"
#include "emulator/plain.h"
#include "ops/collect/kernels.h"

namespace pleat::emulator {
namespace {

namespace kernels = cuda::collect;
using kernels::Stored;
using std::size_t;
using Bits = std::vector<std::uint32_t>;

constexpr float infinity = std::numeric_limits<float>::infinity();
const std::vector<int> ragged = {1, 63, 64, 65, 129, 2};

Bits bits_of(const std::vector<float>& x) {
  Bits bits(x.size());
  for (size_t i = 0; i < x.size(); ++i) bits[i] = std::bit_cast<std::uint32_t>(x[i]);
  return bits;
}
std::uint32_t stored_bits(Stored type, float x) {
  return type == Stored::float16 ? fp16_bits(x) : std::bit_cast<std::uint32_t>(x);
}

// Sequences with a begin and an end token, the longer ones with a linker of 5 tokens after 50 residues: NaN, all these.
struct Batch {
  size_t width;
  std::vector<std::int64_t> tokens;     // [R]
  std::vector<std::int64_t> starts{0};  // [B+1]
  std::vector<float> hidden;            // [T, width]

  explicit Batch(int columns) : width(static_cast<size_t>(columns)) {}
  void add(const std::vector<float>& rows) {
    append_nan(1);
    for (size_t i = 0; i < rows.size() / width; ++i) {
      if (i == 50) append_nan(5);
      tokens.push_back(static_cast<std::int64_t>(hidden.size() / width));
      hidden.insert(hidden.end(), rows.data() + i * width, rows.data() + (i + 1) * width);
    }
    append_nan(1);
    starts.push_back(static_cast<std::int64_t>(tokens.size()));
  }
  void append_nan(size_t count) { hidden.insert(hidden.end(), count * width, std::nanf("")); }
  [[nodiscard]] size_t sequences() const { return starts.size() - 1; }
  [[nodiscard]] size_t residues() const { return tokens.size(); }
  [[nodiscard]] size_t length(size_t s) const { return static_cast<size_t>(starts[s + 1] - starts[s]); }
  float& at(size_t residue, size_t column) { return hidden[static_cast<size_t>(tokens[residue]) * width + column]; }
};

// What one kind of numbers becomes on the GPU.
struct Rows {
  size_t count;
  size_t width;
  Stored type;
  Buffer<std::uint16_t> halves{type == Stored::float16 ? count * width : 0};
  Buffer<float> floats{type == Stored::float32 ? count * width : 0};
  Buffer<float> extents{2 * count};

  kernels::Converted pointers() {
    if (type == Stored::float16) return {halves.data(), extents.data()};
    return {floats.data(), extents.data()};
  }
  Bits values() {
    if (type == Stored::float32) return bits_of(floats.values());
    const std::vector<std::uint16_t> bits = halves.values();
    return {bits.begin(), bits.end()};
  }
  Bits of(size_t first, size_t end) {  // of some rows
    const Bits all = values();
    return {all.data() + first * width, all.data() + end * width};
  }
  [[nodiscard]] float least(size_t row) { return extents.data()[row]; }
  [[nodiscard]] float largest(size_t row) { return extents.data()[count + row]; }
  [[nodiscard]] bool is_finite(size_t row) { return std::isfinite(least(row)) && std::isfinite(largest(row)); }
  [[nodiscard]] bool is_intact() { return halves.is_intact() && floats.is_intact() && extents.is_intact(); }
};

struct Collected {
  Rows rows;
  Rows means;
  bool intact = false;

  Collected(const Batch& batch, Stored type, bool with_rows = true, bool with_means = true)
      : rows{batch.residues(), batch.width, type}, means{batch.sequences(), batch.width, type} {
    const Chunks chunks = Chunks::of(batch.starts);
    const size_t chunk_count = chunks.starts.size() - 1;
    Buffer<float> hidden(batch.hidden);
    Buffer<std::int64_t> tokens(batch.tokens), starts(chunks.starts), of_sequence(chunks.of_sequence);
    Buffer<double> sums(chunk_count * batch.width);
    const kernels::Kept kept{tokens.data(),
                             starts.data(),
                             of_sequence.data(),
                             static_cast<std::int64_t>(batch.residues()),
                             static_cast<std::int64_t>(chunk_count),
                             static_cast<std::int64_t>(batch.sequences())};
    EXPECT_EQ(kernels::collect(hidden.data(), kept, with_rows ? rows.pointers() : kernels::Converted(),
                               with_means ? sums.data() : nullptr, with_means ? means.pointers() : kernels::Converted(),
                               type, static_cast<std::int64_t>(batch.width), nullptr),
              cudaSuccess);
    intact = rows.is_intact() && means.is_intact() && sums.is_intact() && hidden.is_intact();
  }
};

// Multiples of 2^-18, whose sums float64 holds exactly, in whatever order, and float32 does not.
std::vector<float> exact_rows(Random& random, int rows, int width) {
  std::vector<float> x = random.vector(static_cast<size_t>(rows) * static_cast<size_t>(width), 0.5, 3);
  for (float& value : x) value = std::ldexp(std::round(std::ldexp(value, 18)), -18);
  return x;
}

// The later half of the rows is the earlier one, negative, and a row between them is 0. The numbers are of very
// different sizes, so that rounding alone is left of their sum, which shows in what order they were added.
std::vector<float> cancelling_rows(Random& random, int rows, int width) {
  const auto half = static_cast<size_t>(rows / 2 * width);
  std::vector<float> x(static_cast<size_t>(rows * width));
  for (size_t i = 0; i < half; ++i) {
    x[i] = static_cast<float>(std::ldexp(random.normal(), static_cast<int>(random.below(60))));
    x[x.size() - half + i] = -x[i];
  }
  return x;
}

class CollectKernels : public testing::TestWithParam<Stored> {};

TEST_P(CollectKernels, EqualPlainArithmetic) {
  for (const int width : {320, 480, 640, 1280, 2560, 5120}) {
    SCOPED_TRACE(width);
    ASSERT_TRUE(kernels::suits(width));
    Random random(71);
    Batch batch(width);
    for (const int length : ragged) batch.add(exact_rows(random, length, width));
    Collected collected(batch, GetParam());
    EXPECT_TRUE(collected.intact);
    Bits rows, means;
    for (size_t s = 0; s < batch.sequences(); ++s) {
      std::vector<double> mean(batch.width);
      const auto begin = static_cast<size_t>(batch.starts[s]);
      for (size_t r = begin; r < begin + batch.length(s); ++r) {
        const float* const row = &batch.at(r, 0);
        for (size_t c = 0; c < batch.width; ++c) {
          rows.push_back(stored_bits(GetParam(), row[c]));
          mean[c] += double{row[c]};
        }
        EXPECT_EQ(collected.rows.least(r), *std::min_element(row, row + width));
        EXPECT_EQ(collected.rows.largest(r), *std::max_element(row, row + width));
      }
      for (double& x : mean) x /= static_cast<double>(batch.length(s));
      for (const double x : mean) means.push_back(stored_bits(GetParam(), static_cast<float>(x)));
      EXPECT_EQ(collected.means.least(s), static_cast<float>(*std::min_element(mean.begin(), mean.end())));
      EXPECT_EQ(collected.means.largest(s), static_cast<float>(*std::max_element(mean.begin(), mean.end())));
    }
    EXPECT_EQ(collected.rows.values(), rows);
    EXPECT_EQ(collected.means.values(), means);
  }
}

TEST_P(CollectKernels, GiveASequenceTheSameBitsAloneAndInCompany) {
  Random random(72);
  std::vector<std::vector<float>> sequences;
  Batch batch(320);
  for (const int length : ragged) {
    sequences.push_back(cancelling_rows(random, length, 320));
    batch.add(sequences.back());
  }
  Collected together(batch, GetParam());
  for (size_t s = 0; s < sequences.size(); ++s) {
    Batch own(320);
    own.add(sequences[s]);
    Collected alone(own, GetParam());
    const auto begin = static_cast<size_t>(batch.starts[s]);
    const auto end = static_cast<size_t>(batch.starts[s + 1]);
    EXPECT_EQ(alone.rows.values(), together.rows.of(begin, end));
    EXPECT_EQ(alone.means.values(), together.means.of(s, s + 1));
    EXPECT_EQ(alone.means.least(0), together.means.least(s));
    EXPECT_EQ(alone.means.largest(0), together.means.largest(s));
  }
}

TEST_P(CollectKernels, ShowWhatIsNotFiniteInItsOwnRowsOnly) {
  const auto nan_of = [](std::uint32_t bits) { return std::bit_cast<float>(bits); };
  const std::vector<float> bad = {nan_of(0x7fc00000), nan_of(0xffc00000), infinity,          -infinity,
                                  nan_of(0x7f800001), nan_of(0xffffffff), nan_of(0x7fffffff)};
  for (const int width : {480, 5120}) {
    Random random(73);
    Batch batch(width);
    for (const int length : ragged) batch.add(exact_rows(random, length, width));
    for (size_t k = 0; k < bad.size(); ++k) {
      const size_t spoilt = k * (batch.residues() - 1) / (bad.size() - 1);
      const size_t column = k * 5 % bad.size() * (batch.width - 1) / (bad.size() - 1);
      const float before = std::exchange(batch.at(spoilt, column), bad[k]);
      Collected collected(batch, GetParam());
      for (size_t r = 0; r < batch.residues(); ++r) EXPECT_EQ(collected.rows.is_finite(r), r != spoilt) << r;
      for (size_t s = 0; s < batch.sequences(); ++s) {
        const bool has_it = batch.starts[s] <= static_cast<std::int64_t>(spoilt) &&
                            static_cast<std::int64_t>(spoilt) < batch.starts[s + 1];
        EXPECT_EQ(collected.means.is_finite(s), !has_it) << s;
      }
      const bool is_nan = std::isnan(collected.rows.least(spoilt)) || std::isnan(collected.rows.largest(spoilt));
      EXPECT_EQ(is_nan, std::isnan(bad[k]));
      batch.at(spoilt, column) = before;
    }
  }
}

TEST_P(CollectKernels, GiveOnlyWhatIsWanted) {
  Random random(74);
  Batch batch(640);
  for (const int length : {70, 3}) batch.add(exact_rows(random, length, 640));
  Collected both(batch, GetParam());
  Collected rows(batch, GetParam(), true, false);
  EXPECT_EQ(rows.rows.values(), both.rows.values());
  EXPECT_EQ(rows.rows.extents.values(), both.rows.extents.values());
  Collected means(batch, GetParam(), false, true);
  EXPECT_EQ(means.means.values(), both.means.values());
  EXPECT_EQ(means.means.extents.values(), both.means.extents.values());
}

INSTANTIATE_TEST_SUITE_P(Types, CollectKernels, testing::Values(Stored::float16, Stored::float32),
                         [](const auto& row) { return row.param == Stored::float16 ? "fp16" : "fp32"; });

TEST(CollectKernelsAlone, RefuseOtherWidthsAndTakeNoRows) {
  for (const int width : {0, 96, 324, 1024}) {
    EXPECT_FALSE(kernels::suits(width));
    EXPECT_EQ(kernels::collect(nullptr, {}, {}, nullptr, {}, Stored::float32, width, nullptr), cudaErrorInvalidValue);
  }
  EXPECT_EQ(kernels::collect(nullptr, {}, {}, nullptr, {}, Stored::float32, 320, nullptr), cudaSuccess);
}

TEST(CollectKernelsAlone, EachWaitIsNeeded) {
  Random random(75);
  Batch batch(640);
  for (const int length : {66, 3, 9}) batch.add(exact_rows(random, length, 640));
  expect_each_wait_is_needed(
      [&] {
        Collected collected(batch, Stored::float32);
        return std::vector{collected.rows.values(), bits_of(collected.rows.extents.values()), collected.means.values(),
                           bits_of(collected.means.extents.values())};
      },
      0);
}

}  // namespace
}  // namespace pleat::emulator
