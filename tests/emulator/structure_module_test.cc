// The kernels of the structure module and of the attention over the sequence.
#include <gtest/gtest.h>

#include "emulator/faults.h"
#include "emulator/plain.h"
#include "ops/biased_attention/kernels.h"
#include "ops/layer_norm/kernels.h"
#include "ops/point_attention/kernels.h"
#include "ops/rigid/kernels.h"

namespace pleat::emulator {
namespace {

using std::size_t;

// Rotations [P, 3, 3] of random quaternions [P, 4] of length 1, and translations [P, 3].
struct RandomFrames {
  std::vector<float> quaternions;
  std::vector<float> rotations;
  std::vector<float> translations;

  RandomFrames(Random& random, size_t positions)
      : quaternions(random.vector(4 * positions, 0, 1)), translations(random.vector(3 * positions, 0, 4)) {
    for (size_t i = 0; i < positions; ++i) {
      float* const q = quaternions.data() + 4 * i;
      const float length = std::sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
      for (int k = 0; k < 4; ++k) q[k] /= length;
      for (const double x : rotation_of({double{q[0]}, double{q[1]}, double{q[2]}, double{q[3]}}))
        rotations.push_back(static_cast<float>(x));
    }
  }
  // v' = q v q*, column by column of the unit vectors: not the formula of the kernel.
  static std::array<double, 9> rotation_of(const std::array<double, 4>& q) {
    const auto times = [](const std::array<double, 4>& a, const std::array<double, 4>& b) {
      return std::array<double, 4>{
          a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3], a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
          a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1], a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0]};
    };
    std::array<double, 9> rotation{};
    for (size_t axis = 0; axis < 3; ++axis) {
      std::array<double, 4> unit{};
      unit[axis + 1] = 1;
      const auto turned = times(times(q, unit), {q[0], -q[1], -q[2], -q[3]});
      for (size_t row = 0; row < 3; ++row) rotation[3 * row + axis] = turned[row + 1];
    }
    return rotation;
  }
};

TEST(RigidKernel, MovesEachFrameAsTheFormulaSays) {
  for (const int positions : lengths) {
    Random random(71);
    const auto n = static_cast<size_t>(positions);
    const RandomFrames frames(random, n);
    Buffer<float> rotations(frames.rotations), quaternions(frames.quaternions), translations(frames.translations);
    Buffer<float> update(random.vector(6 * n, 0, 1));
    Buffer<float> new_rotations(9 * n), new_quaternions(4 * n), new_translations(3 * n);
    ASSERT_EQ(cuda::rigid::compose({rotations.data(), quaternions.data(), translations.data()}, update.data(),
                                   {new_rotations.data(), new_quaternions.data(), new_translations.data()}, positions,
                                   nullptr),
              cudaSuccess);
    EXPECT_TRUE(new_rotations.is_intact() && new_quaternions.is_intact() && new_translations.is_intact());
    Difference turned, moved, unit;
    for (size_t i = 0; i < n; ++i) {
      const float* const u = update.data() + 6 * i;
      const double length = std::sqrt(1 + double{u[0]} * u[0] + double{u[1]} * u[1] + double{u[2]} * u[2]);
      const auto step = RandomFrames::rotation_of({1 / length, u[0] / length, u[1] / length, u[2] / length});
      double squares = 0;
      for (size_t k = 0; k < 4; ++k) squares += std::pow(double{new_quaternions.data()[4 * i + k]}, 2);
      unit.add(squares, 1);
      for (size_t row = 0; row < 3; ++row) {
        double translation = double{frames.translations[3 * i + row]};
        for (size_t k = 0; k < 3; ++k) translation += double{frames.rotations[9 * i + 3 * row + k]} * double{u[3 + k]};
        moved.add(double{new_translations.data()[3 * i + row]}, translation);
        for (size_t column = 0; column < 3; ++column) {
          double product = 0;
          for (size_t k = 0; k < 3; ++k)
            product += double{frames.rotations[9 * i + 3 * row + k]} * step[3 * k + column];
          turned.add(double{new_rotations.data()[9 * i + 3 * row + column]}, product);
        }
      }
    }
    EXPECT_LT(turned.largest(), 2e-6);
    EXPECT_LT(moved.largest(), 1e-6);
    EXPECT_LT(unit.largest(), 1e-6);
  }
}

TEST(AddNormKernel, IsTheFormulaInFloat32Too) {
  constexpr int width = 384;
  for (const int tokens : {1, 7, 16, 37}) {
    for (const bool with_update : {true, false}) {
      Random random(72);
      const size_t count = static_cast<size_t>(tokens) * width;
      const std::vector<float> before = random.vector(count, 3, 2);
      Buffer<float> residual(before), weight(random.vector(width, 1, 0.2)), bias(random.vector(width, 0, 0.2));
      Buffer<float> update(random.vector(count, 0, 1)), out(count);
      ASSERT_EQ(cuda::add_norm::apply_float32(residual.data(), with_update ? update.data() : nullptr,
                                              {weight.data(), bias.data()}, 1e-5f, out.data(), tokens, width, nullptr),
                cudaSuccess);
      std::vector<float> sums = before;
      for (size_t i = 0; i < count && with_update; ++i) sums[i] += update.data()[i];
      EXPECT_EQ(residual.values(), sums);
      Difference difference;
      for (size_t begin = 0; begin < count; begin += width) {
        const std::vector<double> expected = normalised(sums.data() + begin, width, weight.data(), bias.data());
        for (size_t c = 0; c < width; ++c) difference.add(double{out.data()[begin + c]}, expected[c]);
      }
      EXPECT_LT(difference.largest(), 1e-6);
      EXPECT_TRUE(out.is_intact() && residual.is_intact());
    }
  }
  EXPECT_EQ(cuda::add_norm::apply_float32(nullptr, nullptr, {}, 1e-5f, nullptr, 1, 1024, nullptr),
            cudaErrorInvalidValue);
}

namespace point = cuda::point_attention;

struct PointCase {
  int length;
  size_t n;
  Random random{73};
  RandomFrames frames;
  Buffer<float> projected, rotations, translations, pair, bias, point_weight;
  Buffer<float> queries, keys, values, out;

  explicit PointCase(int positions)
      : length(positions),
        n(static_cast<size_t>(positions)),
        frames(random, n),
        projected(random.vector(n * point::projected_width, 0, 1)),
        rotations(frames.rotations),
        translations(frames.translations),
        pair(random_pairs(random, positions)),
        bias(random.vector(n * n * point::heads, 0, 1)),
        point_weight(random.vector(point::heads, 0.05, 0.01)),
        queries(n * point::heads * point::key_floats),
        keys(n * point::heads * point::key_floats),
        values(n * point::heads * point::value_floats),
        out(n * point::mixed_width) {}

  std::vector<float> run() {
    const point::Input input{
        projected.data(), rotations.data(), translations.data(), pair.data(), bias.data(), point_weight.data(), 1e-8f};
    const point::Buffers buffers{queries.data(), keys.data(), values.data()};
    EXPECT_EQ(point::place(input, buffers, length, nullptr), cudaSuccess);
    EXPECT_EQ(point::attend(input, buffers, out.data(), length, nullptr), cudaSuccess);
    return out.values();
  }

  // Point `n` of `count` a head, of head `head`, in the global frame; `from` is where such points begin in a row.
  [[nodiscard]] std::array<double, 3> global(size_t position, size_t from, size_t count, size_t head, size_t number) {
    std::array<double, 3> moved{};
    for (size_t row = 0; row < 3; ++row) {
      moved[row] = double{frames.translations[3 * position + row]};
      for (size_t c = 0; c < 3; ++c) {
        const double x = double{
            projected.data()[position * point::projected_width + from + (c * point::heads + head) * count + number]};
        moved[row] += double{frames.rotations[9 * position + 3 * row + c]} * x;
      }
    }
    return moved;
  }

  // Row i of the output for one head: values, local points, lengths and pairs, one after the other.
  std::vector<double> expected(size_t i, size_t head) {
    constexpr size_t H = point::heads, c = point::width, Nq = point::query_points, Nv = point::value_points;
    constexpr size_t own_points = 3 * H * c, other_points = own_points + 3 * H * Nq;
    const auto number = [&](size_t position, size_t at) {
      return double{projected.data()[position * point::projected_width + at]};
    };
    std::vector<double> scores(n);
    for (size_t j = 0; j < n; ++j) {
      double product = 0;
      for (size_t k = 0; k < c; ++k) product += number(i, head * c + k) * number(j, H * c + head * 2 * c + k);
      double squares = 0;
      for (size_t p = 0; p < Nq; ++p) {
        const auto a = global(i, own_points, Nq, head, p);
        const auto b = global(j, other_points, Nq + Nv, head, p);
        for (size_t k = 0; k < 3; ++k) squares += (a[k] - b[k]) * (a[k] - b[k]);
      }
      scores[j] = product / std::sqrt(3.0 * c) + double{bias.data()[(head * n + i) * n + j]} -
                  double{point_weight.data()[head]} * squares;
    }
    softmax(scores);
    std::vector<double> sums(c + 3 * Nv + Nv + C);
    std::vector<std::array<double, 3>> points(Nv);
    for (size_t j = 0; j < n; ++j) {
      const double weight = scores[j];
      for (size_t k = 0; k < c; ++k) sums[k] += weight * number(j, H * c + head * 2 * c + c + k);
      for (size_t p = 0; p < Nv; ++p) {
        const auto point = global(j, other_points, Nq + Nv, head, Nq + p);
        for (size_t k = 0; k < 3; ++k) points[p][k] += weight * point[k];
      }
      for (size_t k = 0; k < C; ++k) sums[c + 4 * Nv + k] += weight * double{pair.data()[(i * n + j) * C + k]};
    }
    for (size_t p = 0; p < Nv; ++p) {
      double squares = 1e-8;
      for (size_t k = 0; k < 3; ++k) {
        double local = 0;
        for (size_t row = 0; row < 3; ++row) {
          local += double{frames.rotations[9 * i + 3 * row + k]} *
                   (points[p][row] - double{frames.translations[3 * i + row]});
        }
        sums[c + k * Nv + p] = local;
        squares += local * local;
      }
      sums[c + 3 * Nv + p] = std::sqrt(squares);
    }
    return sums;
  }

  // What `expected` gives, from where the kernel has put it.
  std::vector<double> actual(size_t i, size_t head) {
    constexpr size_t H = point::heads, c = point::width, Nv = point::value_points;
    const float* const row = out.data() + i * point::mixed_width;
    std::vector<double> numbers;
    for (size_t k = 0; k < c; ++k) numbers.push_back(double{row[head * c + k]});
    for (size_t k = 0; k < 3; ++k) {
      for (size_t p = 0; p < Nv; ++p) numbers.push_back(double{row[H * c + (k * H + head) * Nv + p]});
    }
    for (size_t p = 0; p < Nv; ++p) numbers.push_back(double{row[H * (c + 3 * Nv) + head * Nv + p]});
    for (size_t k = 0; k < C; ++k) numbers.push_back(double{row[H * (c + 4 * Nv) + head * C + k]});
    return numbers;
  }
};

class PointAttentionKernel : public testing::TestWithParam<int> {};

TEST_P(PointAttentionKernel, MixesWhatTheFormulaSays) {
  PointCase points(GetParam());
  std::vector<float> result;
  {
    const WithOptions options({.seed = 1});
    result = points.run();
  }
  {
    const WithOptions options({.seed = 77, .late_copies = false});
    EXPECT_EQ(points.run(), result);
  }
  EXPECT_TRUE(points.out.is_intact() && points.queries.is_intact() && points.keys.is_intact() &&
              points.values.is_intact());
  Difference difference;
  for (const int i : some_of(GetParam(), 5)) {
    for (size_t head = 0; head < point::heads; ++head) {
      const std::vector<double> actual = points.actual(static_cast<size_t>(i), head);
      const std::vector<double> expected = points.expected(static_cast<size_t>(i), head);
      for (size_t k = 0; k < expected.size(); ++k) difference.add(actual[k], expected[k]);
    }
  }
  EXPECT_LT(difference.rms(), 2e-6);
  EXPECT_LT(difference.largest(), 5e-6);
}

INSTANTIATE_TEST_SUITE_P(Lengths, PointAttentionKernel, testing::ValuesIn(lengths),
                         [](const auto& row) { return std::to_string(row.param); });

TEST(PointAttentionKernelAlone, EachWaitIsNeeded) {
  PointCase points(70);
  expect_each_wait_is_needed([&] { return points.run(); }, 0);
}

TEST(PointAttentionKernelAlone, EdgesAreNeeded) {
  PointCase points(37);
  expect_edge_is_needed([&] { return points.run(); });
}

namespace biased = cuda::biased;

struct BiasedCase {
  int length;
  int heads;
  bool gated;
  size_t n;
  Random random{74};
  size_t stride;  // of the bias's rows
  Buffer<cuda::bf16> qkv, gate, out;
  Buffer<float> bias;

  BiasedCase(int positions, int head_count, bool with_gate)
      : length(positions),
        heads(head_count),
        gated(with_gate),
        n(static_cast<size_t>(positions)),
        stride(n + 3),
        qkv(Linear::random_bits(random, n * width() * 3, 1.5)),
        gate(Linear::random_bits(random, n * width(), 2)),
        out(n * width()),
        bias(random.vector(static_cast<size_t>(heads) * n * stride, 0, 2)) {}
  [[nodiscard]] size_t width() const { return static_cast<size_t>(heads) * biased::head_dim; }

  std::vector<cuda::bf16> run() {
    EXPECT_EQ(biased::attend({.qkv = qkv.data(),
                              .bias = bias.data(),
                              .bias_row = static_cast<std::int64_t>(stride),
                              .bias_head = static_cast<std::int64_t>(n * stride),
                              .gate = gated ? gate.data() : nullptr,
                              .out = out.data(),
                              .heads = heads,
                              .length = length},
                             nullptr),
              cudaSuccess);
    return out.values();
  }

  std::vector<double> expected(size_t i, size_t head) {
    constexpr size_t dim = biased::head_dim;
    const auto part = [&](size_t position, size_t which, size_t d) {
      return double{bf16_value(qkv.data()[(position * static_cast<size_t>(heads) + head) * 3 * dim + which * dim + d])};
    };
    std::vector<double> scores(n);
    for (size_t j = 0; j < n; ++j) {
      double product = 0;
      for (size_t d = 0; d < dim; ++d) product += part(i, 0, d) * part(j, 1, d);
      scores[j] = product / std::sqrt(double{dim}) + double{bias.data()[(head * n + i) * stride + j]};
    }
    softmax(scores);
    std::vector<double> mixed(dim);
    for (size_t d = 0; d < dim; ++d) {
      for (size_t j = 0; j < n; ++j) mixed[d] += scores[j] * part(j, 2, d);
      if (gated) mixed[d] *= sigmoid(double{bf16_value(gate.data()[i * width() + head * dim + d])});
    }
    return mixed;
  }
};

class BiasedAttentionKernel : public testing::TestWithParam<int> {};

TEST_P(BiasedAttentionKernel, MixesWhatTheFormulaSays) {
  for (const bool with_gate : {true, false}) {
    BiasedCase attention(GetParam(), 3, with_gate);
    std::vector<cuda::bf16> result;
    {
      const WithOptions options({.seed = 1});
      result = attention.run();
      EXPECT_EQ(Machine::get().seen.conflicts, 0) << "of " << Machine::get().seen.matrices;
    }
    {
      const WithOptions options({.seed = 77, .late_copies = false});
      EXPECT_EQ(attention.run(), result);
    }
    EXPECT_TRUE(attention.out.is_intact());
    Difference difference;
    for (const int i : some_of(GetParam(), 9)) {
      for (size_t head = 0; head < 3; ++head) {
        const std::vector<double> expected = attention.expected(static_cast<size_t>(i), head);
        for (size_t d = 0; d < expected.size(); ++d) {
          const size_t at = static_cast<size_t>(i) * attention.width() + head * biased::head_dim + d;
          difference.add(double{bf16_value(result[at])}, expected[d]);
        }
      }
    }
    EXPECT_LT(difference.rms(), 1e-2);
    EXPECT_LT(difference.largest(), 2e-2);
  }
}

INSTANTIATE_TEST_SUITE_P(Lengths, BiasedAttentionKernel, testing::ValuesIn(lengths),
                         [](const auto& row) { return std::to_string(row.param); });

TEST(BiasedAttentionKernelAlone, EachWaitIsNeeded) {
  BiasedCase attention(150, 1, true);
  expect_each_wait_is_needed([&] { return attention.run(); }, 0);
}

TEST(BiasedAttentionKernelAlone, EdgesAreNeeded) {
  BiasedCase attention(37, 1, true);
  expect_edge_is_needed([&] { return attention.run(); });
}

}  // namespace
}  // namespace pleat::emulator
