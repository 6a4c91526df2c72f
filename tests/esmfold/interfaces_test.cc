// The numbers of interfaces, against their definitions written as plain loops in float64.
#include "esmfold/interfaces.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <vector>

#include "esmfold/heads.h"
#include "esmfold/residue_constants.h"
#include "random_checkpoint.h"
#include "tensor/host.h"
#include "test_data.h"
#include "weights/config.h"

namespace pleat {
namespace {

constexpr double cutoff = 10;
using Matrix = std::vector<std::vector<double>>;

double d0(double residues, double least) { return 1.24 * std::cbrt(std::max(residues, least) - 15) - 1.8; }
double term(double error, double scale) { return 1 / (1 + (error / scale) * (error / scale)); }

// A complex of chains of these lengths.
struct Complex {
  explicit Complex(std::vector<std::int64_t> chain_lengths) : lengths(std::move(chain_lengths)) {
    std::string residues;
    for (std::size_t c = 0; c < lengths.size(); ++c) {
      residues += std::string(static_cast<std::size_t>(lengths[c]), 'A');
      chain.insert(chain.end(), static_cast<std::size_t>(lengths[c]), static_cast<std::uint16_t>(c));
    }
    input = make_fold_input(residues, chain, {});
  }

  std::vector<std::int64_t> lengths;
  std::vector<std::uint16_t> chain;  // [L]
  FoldInput input;
};

// What is to come of the probabilities of the error's bins, probabilities [L, L, 64] float64.
class Expected {
 public:
  Expected(const Complex& complex, const at::Tensor& probabilities, at::Tensor alpha, std::vector<int> there)
      : complex_(complex),
        values_(probabilities.contiguous()),
        bins_(values_.accessor<double, 3>()),
        alpha_(std::move(alpha)),
        there_(std::move(there)),
        length_(std::ssize(complex.chain)) {}

  // E[1 / (1 + (error / scale)^2)]
  double tm(std::int64_t i, std::int64_t j, double scale) const {
    double sum = 0;
    for (int bin = 0; bin < 64; ++bin) sum += bins_[i][j][bin] * term((bin + 0.5) * 0.5, scale);
    return sum;
  }
  double pae(std::int64_t i, std::int64_t j) const {
    double sum = 0;
    for (int bin = 0; bin < 64; ++bin) sum += bins_[i][j][bin] * (bin + 0.5) * 0.5;
    return sum;
  }
  // The largest over aligned residues of chain a (any: -1) of the mean over residues j that `scored` takes.
  template <class Scored>
  double best(int a, double scale, const Scored& scored) const {
    double largest = std::numeric_limits<double>::quiet_NaN();
    for (std::int64_t i = 0; i < length_; ++i) {
      if (a >= 0 && chain(i) != a) continue;
      double sum = 0;
      int count = 0;
      for (std::int64_t j = 0; j < length_; ++j) {
        if (!scored(i, j)) continue;
        sum += tm(i, j, scale);
        ++count;
      }
      if (count > 0 && !(largest >= sum / count)) largest = sum / count;
    }
    return largest;
  }
  double ptm() const {
    return best(-1, d0(static_cast<double>(length_), 19), [](auto, auto) { return true; });
  }
  double iptm() const {
    return best(-1, d0(static_cast<double>(length_), 19), [&](auto i, auto j) { return chain(i) != chain(j); });
  }
  double chain_ptm(int a) const {
    return best(a, d0(size(a), 19), [&](auto, auto j) { return chain(j) == a; });
  }
  double pair_iptm(int a, int b) const {
    return best(a, d0(size(a) + size(b), 19), [&](auto, auto j) { return chain(j) == b; });
  }
  double ipsae(int a, int b, bool by_chains) const {
    double largest = 0;
    for (std::int64_t i = 0; i < length_; ++i) {
      if (chain(i) != a) continue;
      std::vector<double> errors;
      for (std::int64_t j = 0; j < length_; ++j) {
        if (chain(j) == b && pae(i, j) < cutoff) errors.push_back(pae(i, j));
      }
      if (errors.empty()) continue;
      const double residues = by_chains ? size(a) + size(b) : static_cast<double>(errors.size());
      double sum = 0;
      for (const double error : errors) sum += term(error, std::max(1.0, d0(residues, 27)));
      largest = std::max(largest, sum / static_cast<double>(errors.size()));
    }
    return largest;
  }
  double min_pae(int a, int b) const {
    double least = std::numeric_limits<double>::infinity();
    for_pairs(a, b, [&](auto i, auto j) { least = std::min(least, pae(i, j)); });
    return least;
  }
  double contacts(int a, int b) const {
    double count = 0;
    for_pairs(a, b, [&](auto i, auto j) {
      if (there_[static_cast<std::size_t>(i)] == 0 || there_[static_cast<std::size_t>(j)] == 0) return;
      if ((alpha_[i] - alpha_[j]).to(at::kDouble).norm().template item<double>() <= 8) ++count;
    });
    return count;
  }

 private:
  int chain(std::int64_t i) const { return complex_.chain[static_cast<std::size_t>(i)]; }
  double size(int a) const { return static_cast<double>(complex_.lengths[static_cast<std::size_t>(a)]); }
  template <class Visit>
  void for_pairs(int a, int b, const Visit& visit) const {
    for (std::int64_t i = 0; i < length_; ++i) {
      for (std::int64_t j = 0; j < length_; ++j) {
        if (chain(i) == a && chain(j) == b) visit(i, j);
      }
    }
  }

  const Complex& complex_;
  at::Tensor values_;
  at::TensorAccessor<double, 3> bins_;
  at::Tensor alpha_;
  std::vector<int> there_;
  std::int64_t length_;
};

at::Tensor rows_of(const FoldInput& input, const at::Tensor& x) {
  const at::Tensor rows = at::tensor(input.residues, at::kLong);
  return x.index_select(0, rows).index_select(1, rows);
}

Interfaces actual_interfaces(const Complex& complex, const Heads& heads, const at::Tensor& pair,
                             const at::Tensor& alpha, const at::Tensor& there) {
  const ChainPairs chains(complex.input, at::kCPU);
  const AlignmentConfidence alignment = heads.alignment(pair, true, &chains);
  const AlignedErrors errors{rows_of(complex.input, alignment.pae), rows_of(complex.input, alignment.complex_terms),
                             rows_of(complex.input, alignment.pair_terms)};
  return interfaces_of(errors, alpha, there, chains.lengths(), cutoff);
}

void expect_interfaces(const Interfaces& actual, const Expected& expected, int chains) {
  EXPECT_NEAR(actual.ptm, expected.ptm(), 1e-6);
  EXPECT_NEAR(actual.iptm, expected.iptm(), 1e-6);
  const auto at = [](const at::Tensor& x, int a, int b) { return x[a][b].item<double>(); };
  for (int a = 0; a < chains; ++a) {
    EXPECT_NEAR(actual.chain_ptm[a].item<double>(), expected.chain_ptm(a), 1e-6);
    for (int b = 0; b < chains; ++b) {
      SCOPED_TRACE(testing::Message() << a << " against " << b);
      if (a == b) {
        for (const at::Tensor& x :
             {actual.pair_iptm, actual.ipsae, actual.ipsae_d0chn, actual.min_pae, actual.contacts}) {
          EXPECT_TRUE(std::isnan(at(x, a, b)));
        }
        continue;
      }
      EXPECT_NEAR(at(actual.pair_iptm, a, b), expected.pair_iptm(a, b), 1e-6);
      EXPECT_NEAR(at(actual.ipsae, a, b), expected.ipsae(a, b, false), 1e-5);
      EXPECT_NEAR(at(actual.ipsae_d0chn, a, b), expected.ipsae(a, b, true), 1e-5);
      EXPECT_NEAR(at(actual.min_pae, a, b), expected.min_pae(a, b), 2e-5);
      EXPECT_EQ(at(actual.contacts, a, b), expected.contacts(a, b));
    }
  }
}

// A pair state that predicts small errors between some residues and large ones between others.
at::Tensor uneven_pair(const RandomCheckpoint& checkpoint, std::int64_t positions, std::int64_t width) {
  const at::Tensor weight = checkpoint.loader().tensor("ptm_head.weight", at::kFloat).mean(0);  // [C], towards any bin
  at::Tensor pair = at::randn({positions, positions, width}) * 2;
  const at::Tensor slope =
      (checkpoint.loader().tensor("ptm_head.weight", at::kFloat).slice(0, 0, 8).mean(0) - weight) * 300;
  return pair + at::rand({positions, positions, 1}).square() * slope;
}

TEST(Interfaces, AreWhatTheirDefinitionsSay) {
  const FoldConfig config = small_fold_config();
  const RandomCheckpoint checkpoint(config, 31);
  const Heads heads(checkpoint.loader());
  for (const std::vector<std::int64_t>& lengths :
       std::vector<std::vector<std::int64_t>>{{20, 33}, {1, 30}, {41, 1, 1}, {12, 25, 7, 1, 16}}) {
    SCOPED_TRACE(testing::PrintToString(lengths));
    const Complex complex(lengths);
    const std::int64_t P = complex.input.positions();
    const at::Tensor pair = uneven_pair(checkpoint, P, config.trunk.pairwise_state_dim);
    const at::Tensor alpha = at::randn({std::ssize(complex.chain), 3}) * 8;
    at::Tensor there = at::ones({std::ssize(complex.chain)}, at::kByte);
    there[2] = 0;  // an X
    std::vector<int> mask(complex.chain.size(), 1);
    mask[2] = 0;
    const at::Tensor probabilities =
        rows_of(complex.input, checkpoint.linear("ptm_head", pair).to(at::kDouble).softmax(-1));
    const Expected expected(complex, probabilities, alpha, mask);
    const Interfaces actual = actual_interfaces(complex, heads, pair, alpha, there);
    expect_interfaces(actual, expected, static_cast<int>(lengths.size()));
    // The case is worth something: some pairs are below the cutoff, some are not.
    const at::Tensor is_below = rows_of(complex.input, heads.alignment(pair, true).pae) < cutoff;
    EXPECT_TRUE(is_below.any().item<bool>());
    EXPECT_FALSE(is_below.all().item<bool>());
  }
}

TEST(Interfaces, OfNothingBelowTheCutoffAreZero) {
  const at::Tensor far = at::full({4, 4}, 20.0F);
  const at::Tensor terms = at::full({4, 4}, 0.25F);
  const Interfaces made = interfaces_of({far, terms, terms}, at::zeros({4, 3}), at::ones({4}, at::kByte), {3, 1}, 10);
  EXPECT_EQ(made.ipsae[0][1].item<double>(), 0);
  EXPECT_EQ(made.ipsae_d0chn[1][0].item<double>(), 0);
  EXPECT_EQ(made.min_pae[0][1].item<double>(), 20);
  EXPECT_EQ(made.contacts[0][1].item<double>(), 3);
}

TEST(Interfaces, OfOneChainAreMissing) {
  const Interfaces made = interfaces_of_one_chain(0.75);
  EXPECT_EQ(made.ptm, 0.75);
  EXPECT_EQ(made.chain_ptm[0].item<double>(), 0.75);
  EXPECT_TRUE(std::isnan(made.iptm));
  for (const at::Tensor& x : {made.pair_iptm, made.ipsae, made.ipsae_d0chn, made.min_pae, made.contacts}) {
    ASSERT_EQ(x.sizes(), (std::vector<std::int64_t>{1, 1}));
    EXPECT_TRUE(std::isnan(x.item<double>()));
  }
}

TEST(Interfaces, DoNotChangeTheReferencesNumbers) {
  const FoldConfig config = small_fold_config();
  const RandomCheckpoint checkpoint(config, 7);
  const Heads heads(checkpoint.loader());
  const Complex complex({9, 14});
  const at::Tensor pair =
      at::randn({complex.input.positions(), complex.input.positions(), config.trunk.pairwise_state_dim});
  const ChainPairs chains(complex.input, at::kCPU);
  const AlignmentConfidence with = heads.alignment(pair, true, &chains);
  const AlignmentConfidence without = heads.alignment(pair, true);
  EXPECT_TRUE(at::equal(with.pae, without.pae));
  EXPECT_EQ(with.ptm, without.ptm);
  for (const std::int64_t block : {8, 100, 700}) {
    const AlignmentConfidence in_blocks = heads.alignment(pair, true, &chains, block);
    EXPECT_TRUE(at::equal(in_blocks.pair_terms, with.pair_terms));
    EXPECT_TRUE(at::equal(in_blocks.complex_terms, with.complex_terms));
  }
}

}  // namespace
}  // namespace pleat
