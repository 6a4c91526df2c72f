#include <gtest/gtest.h>

#include "emulator/faults.h"
#include "emulator/plain.h"
#include "ops/triangle_attention/kernels.h"

namespace pleat::emulator {
namespace {

namespace kernels = cuda::triangle_attention;
using Bits = std::vector<std::uint16_t>;
using std::size_t;

constexpr size_t H = 4;
constexpr size_t Dh = 32;

struct Weights {
  Random random;
  Norm norm{random};
  Linear query{random, C, C, 1.5}, key{random, C, C, 1.5}, value{random, C, C}, bias{random, H, C, 2};
  Linear gate{random, C, C, 1, 0.5}, out{random, C, C, 1, 0.1};

  explicit Weights(std::uint64_t seed) : random(seed) {}
  kernels::Weights pointers() {
    return {query.d_bits.data(), key.d_bits.data(), value.d_bits.data(), bias.d_bits.data(), gate.d_bits.data(),
            out.d_bits.data(),   norm.pointers(),   gate.d_bias.data(),  out.d_bias.data()};
  }
};

// All that the kernels read and write for one z.
struct Memory {
  size_t n;
  Buffer<float> z{n * n * C};
  Buffer<std::uint16_t> q{n * n * C}, kv{2 * n * n * C};
  Buffer<std::uint16_t> bias{H * n * static_cast<size_t>(kernels::stride_of(static_cast<int>(n)))};
  Buffer<std::uint16_t> o{n * n * C};

  explicit Memory(int length) : n(static_cast<size_t>(length)) {}
  kernels::Buffers pointers() { return {z.data(), q.data(), kv.data(), bias.data(), o.data()}; }
  [[nodiscard]] bool is_intact() {
    return z.is_intact() && q.is_intact() && kv.is_intact() && bias.is_intact() && o.is_intact();
  }
};

std::vector<float> update(Memory& memory, Weights& weights, const std::vector<float>& z, bool ending,
                          const cuda::Gpu& gpu, int length) {
  memory.z = z;
  for (auto* between : {&memory.q, &memory.kv, &memory.bias, &memory.o}) between->clear();
  const kernels::Buffers b = memory.pointers();
  const kernels::Weights w = weights.pointers();
  EXPECT_EQ(kernels::project(b, w, length, ending, gpu, nullptr), cudaSuccess);
  EXPECT_EQ(kernels::attend(b, length, gpu, nullptr), cudaSuccess);
  EXPECT_EQ(kernels::finish(b, w, length, ending, gpu, nullptr), cudaSuccess);
  return memory.z.values();
}

// softmax(q k + bias) v of one line and head: q, k, v [L, C], bias [L, L] of the head -> into mixed [L, C]
void attend_line(const std::vector<double>& q, const std::vector<double>& k, const std::vector<double>& v,
                 const std::vector<double>& bias, size_t head, std::vector<double>& mixed) {
  const size_t n = q.size() / C;
  std::vector<double> scores(n);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) {
      scores[j] = bias[i * n + j];
      for (size_t d = head * Dh; d < (head + 1) * Dh; ++d) scores[j] += q[i * C + d] * k[j * C + d];
    }
    softmax(scores);
    for (size_t j = 0; j < n; ++j) {
      for (size_t d = head * Dh; d < (head + 1) * Dh; ++d) mixed[i * C + d] += scores[j] * v[j * C + d];
    }
  }
}

class Reference {
 public:
  Reference(const Weights& weights, const std::vector<float>& z, int length, bool ending)
      : w_(weights), z_(z), n_(static_cast<size_t>(length)), ending_(ending), bias_(H, std::vector<double>(n_ * n_)) {
    for (size_t line = 0; line < n_; ++line) {
      for (size_t at = 0; at < n_; ++at) {
        const std::vector<double> b = w_.bias.times(w_.norm(z_.data() + place(line, at)).data());
        for (size_t h = 0; h < H; ++h) bias_[h][line * n_ + at] = b[h];
      }
    }
  }
  // Of the pair at `at` in `line`.
  [[nodiscard]] size_t place(size_t line, size_t at) const { return (ending_ ? at * n_ + line : line * n_ + at) * C; }
  // What is added to a line, [L, C].
  [[nodiscard]] std::vector<double> operator()(size_t line) const {
    std::vector<double> q, k, v, gate;
    const auto append = [](std::vector<double>& to, const std::vector<double>& x) {
      to.insert(to.end(), x.begin(), x.end());
    };
    for (size_t at = 0; at < n_; ++at) {
      const std::vector<double> y = w_.norm(z_.data() + place(line, at));
      append(q, w_.query.times(y.data()));
      append(k, w_.key.times(y.data()));
      append(v, w_.value.times(y.data()));
      append(gate, w_.gate(y));
    }
    for (double& x : q) x /= std::sqrt(double{Dh});
    std::vector<double> mixed(n_ * C);
    for (size_t h = 0; h < H; ++h) attend_line(q, k, v, bias_[h], h, mixed);
    std::vector<double> added;
    for (size_t at = 0; at < n_; ++at) {
      std::vector<double> gated(C);
      for (size_t c = 0; c < C; ++c) gated[c] = mixed[at * C + c] * sigmoid(gate[at * C + c]);
      append(added, w_.out(gated));
    }
    return added;
  }

 private:
  const Weights& w_;
  const std::vector<float>& z_;
  size_t n_;
  bool ending_;
  std::vector<std::vector<double>> bias_;
};

class TriangleAttentionKernels : public testing::TestWithParam<std::tuple<int, bool>> {};

TEST_P(TriangleAttentionKernels, AddWhatTheFormulaSays) {
  const auto [length, ending] = GetParam();
  Weights weights(static_cast<std::uint64_t>(1000 + length));
  const std::vector<float> z = random_pairs(weights.random, length);
  Memory memory(length);
  const WithOptions options({.seed = 1});
  const std::vector<float> result = update(memory, weights, z, ending, h100, length);
  EXPECT_TRUE(memory.is_intact());
  EXPECT_EQ(Machine::get().seen.conflicts, 0) << "of " << Machine::get().seen.matrices;

  const Reference reference(weights, z, length, ending);
  Difference difference;
  for (const int line : some_of(length, 6)) {
    const std::vector<double> added = reference(static_cast<size_t>(line));
    for (size_t i = 0; i < added.size(); ++i) {
      const size_t at = reference.place(static_cast<size_t>(line), i / C) + i % C;
      difference.add(double{result[at]} - double{z[at]}, added[i]);
    }
  }
  EXPECT_LT(difference.rms(), 1e-2);
  EXPECT_LT(difference.largest(), 5e-2);
}

// In another order, with copies that land at once, and in the shapes of a GPU with less shared memory.
class ShortTriangleAttentionKernels : public TriangleAttentionKernels {};

TEST_P(ShortTriangleAttentionKernels, GiveTheSameBitsOnEveryGpu) {
  const auto [length, ending] = GetParam();
  Weights weights(5);
  const std::vector<float> z = random_pairs(weights.random, length);
  Memory memory(length);
  const std::vector<float> first = update(memory, weights, z, ending, h100, length);
  for (const cuda::Gpu& gpu : {a100, a10}) {
    const WithOptions options({.seed = 77, .late_copies = false});
    EXPECT_EQ(update(memory, weights, z, ending, gpu, length), first) << gpu.shared_bytes;
    EXPECT_TRUE(memory.is_intact());
    EXPECT_EQ(Machine::get().seen.conflicts, 0);
  }
}

std::string name_of_case(const testing::TestParamInfo<std::tuple<int, bool>>& row) {
  return std::to_string(std::get<0>(row.param)) + (std::get<1>(row.param) ? "ending" : "starting");
}
INSTANTIATE_TEST_SUITE_P(Lengths, TriangleAttentionKernels,
                         testing::Combine(testing::ValuesIn(lengths), testing::Bool()), name_of_case);
INSTANTIATE_TEST_SUITE_P(Lengths, ShortTriangleAttentionKernels,
                         testing::Combine(testing::ValuesIn(short_lengths), testing::Bool()), name_of_case);

// Scores of hundreds of bits that rise or fall with the key, so that what they are measured from must move often.
TEST(TriangleAttentionKernelsAlone, AttendToScoresThatRise) {
  const int length = 50;
  const size_t n = 50;
  const auto stride = static_cast<size_t>(kernels::stride_of(length));
  Random random(9);
  for (const double slope : {5.0, 1.0}) {
    const Bits q = Linear::random_bits(random, n * n * C, slope == 5.0 ? 1 : 4);
    const Bits kv = Linear::random_bits(random, 2 * n * n * C, slope == 5.0 ? 1 : 4);
    Bits bias(H * n * stride, fp16_bits(-60000));
    for (size_t row = 0; row < H * n; ++row) {
      const double rise = row % 3 == 0 ? slope : row % 3 == 1 ? -slope : 0.1 * slope;
      for (size_t k = 0; k < n; ++k) {
        bias[row * stride + k] = fp16_bits(static_cast<float>(rise * double(k) + 3 * random.normal() - 200));
      }
    }
    Memory memory(length);
    memory.q = q;
    memory.kv = kv;
    memory.bias = bias;
    Bits expected_bits;
    for (const cuda::Gpu& gpu : {h100, a100, a10}) {
      memory.o.clear();
      ASSERT_EQ(kernels::attend(memory.pointers(), length, gpu, nullptr), cudaSuccess);
      const Bits o = memory.o.values();
      if (expected_bits.empty()) expected_bits = o;
      EXPECT_EQ(o, expected_bits) << gpu.shared_bytes;
    }
    // The dimension that a place of q, k or v holds.
    const auto stored = [](size_t place) { return 8 * (place / 2 % 4) + 2 * (place / 8) + place % 2; };
    Difference difference;
    for (const int line : some_of(length, 4)) {
      std::vector<double> wide_q(n * C), wide_k(n * C), wide_v(n * C), mixed(n * C);
      for (size_t h = 0; h < H; ++h) {
        const size_t first = (static_cast<size_t>(line) * H + h) * n;
        for (size_t i = 0; i < n; ++i) {
          for (size_t p = 0; p < Dh; ++p) {
            const size_t to = i * C + h * Dh + stored(p);
            wide_q[to] = double{bf16_value(q[(first + i) * Dh + p])} * std::log(2.0);
            wide_k[to] = double{bf16_value(kv[(first + i) * 2 * Dh + p])};
            wide_v[to] = double{bf16_value(kv[(first + i) * 2 * Dh + Dh + p])};
          }
        }
        std::vector<double> head_bias(n * n);
        for (size_t i = 0; i < n * n; ++i) {
          head_bias[i] = double{fp16_value(bias[(h * n + i / n) * stride + i % n])} * std::log(2.0);
        }
        attend_line(wide_q, wide_k, wide_v, head_bias, h, mixed);
      }
      for (size_t i = 0; i < n * C; ++i) {
        difference.add(double{bf16_value(expected_bits[static_cast<size_t>(line) * n * C + i])}, mixed[i]);
      }
    }
    EXPECT_LT(difference.rms(), 1e-2) << slope;
    EXPECT_LT(difference.largest(), 5e-2) << slope;
  }
}

TEST(TriangleAttentionKernelsAlone, EachWaitIsNeeded) {
  for (const bool ending : {false, true}) {
    Weights weights(3);
    const int length = 20;
    const std::vector<float> z = random_pairs(weights.random, length);
    Memory memory(length);
    // On one processor, so that each block and each warp has more than one piece of work; the A100's shape of attend
    // has the fewest tiles on their way.
    const cuda::Gpu gpu{.processors = 1, .shared_bytes = a100.shared_bytes, .capability = 80};
    expect_each_wait_is_needed([&] { return update(memory, weights, z, ending, gpu, length); }, 2);
  }
}

TEST(TriangleAttentionKernelsAlone, AnEdgeOffByOneIsFound) {
  Weights weights(3);
  const std::vector<float> z = random_pairs(weights.random, 37);
  Memory memory(37);
  expect_edge_is_needed([&] { return update(memory, weights, z, true, h100, 37); });
  // A kernel that goes one line too far.
  bool found = false;
  try {
    update(memory, weights, z, false, h100, 38);
  } catch (const Fault&) {
    found = true;
  }
  EXPECT_TRUE(found || !memory.is_intact());
}

}  // namespace
}  // namespace pleat::emulator
