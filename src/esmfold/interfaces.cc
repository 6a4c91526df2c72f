#include "esmfold/interfaces.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string_view>

namespace pleat {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();
constexpr double contact_distance = 8;           // ångström, between C-alpha atoms
constexpr std::int64_t least_tm_residues = 19;   // as AlphaFold clips it
constexpr std::int64_t least_sae_residues = 27;  // where d0 of ipSAE is about 1

double scale_of(std::int64_t residues) { return 1.24 * std::cbrt(static_cast<double>(residues) - 15) - 1.8; }

at::Tensor int_tensor(const std::vector<std::int64_t>& values, at::Device device) {
  return at::tensor(values, at::kLong).to(device);
}

// Residues by chain, to reduce over. All arithmetic in float64.
class ByChain {
 public:
  ByChain(const std::vector<std::int64_t>& lengths, at::Device device)
      : count_(static_cast<std::int64_t>(lengths.size())) {
    std::vector<std::int64_t> begins;
    std::vector<std::int64_t> chain;
    for (std::int64_t c = 0; c < count_; ++c) {
      begins.push_back(static_cast<std::int64_t>(chain.size()));
      chain.insert(chain.end(), static_cast<std::size_t>(lengths[static_cast<std::size_t>(c)]), c);
    }
    std::vector<std::int64_t> ends(begins.begin() + 1, begins.end());
    ends.push_back(static_cast<std::int64_t>(chain.size()));
    begins_ = int_tensor(begins, device);
    ends_ = int_tensor(ends, device);
    chain_ = int_tensor(chain, device);
    lengths_ = int_tensor(lengths, device).to(at::kDouble);
  }

  [[nodiscard]] const at::Tensor& chain() const { return chain_; }      // [L]
  [[nodiscard]] const at::Tensor& lengths() const { return lengths_; }  // [C]

  // x [N, L] -> [N, C]. Prefix sums give the same bits whatever the chains are; sums by scattering would not on a GPU.
  [[nodiscard]] at::Tensor sums(const at::Tensor& x) const {
    const at::Tensor until = at::constant_pad_nd(x.cumsum(1, at::kDouble), {1, 0});  // [N, L + 1]
    return until.index_select(1, ends_) - until.index_select(1, begins_);
  }
  // y [L, N] -> [C, N], the largest of each chain's rows; "amin" for the least.
  [[nodiscard]] at::Tensor extreme(const at::Tensor& y, std::string_view which) const {
    const double start =
        which == "amax" ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    const at::Tensor index = chain_.unsqueeze(1).expand({y.size(0), y.size(1)}).contiguous();
    return at::full({count_, y.size(1)}, start, y.options()).scatter_reduce(0, index, y, which);
  }
  // The value that belongs to each row's own chain: y [L, C] -> [L].
  [[nodiscard]] at::Tensor own(const at::Tensor& y) const { return y.gather(1, chain_.unsqueeze(1)).squeeze(1); }

 private:
  std::int64_t count_;
  at::Tensor begins_;
  at::Tensor ends_;
  at::Tensor chain_;
  at::Tensor lengths_;
};

// n -> d0 of ipSAE, ångström.
at::Tensor sae_scale(const at::Tensor& residues) {
  return (1.24 * (residues.clamp_min(least_sae_residues) - 15).pow(1.0 / 3) - 1.8).clamp_min(1);
}

// The mean of 1 / (1 + (PAE / d0)^2) over what is below the cutoff in each row and scored chain, the best row of each
// aligned chain. pae [L, L], below [L, L] 0 or 1, counts [L, C], scale: d0 for each pair of residues -> [C, C]
at::Tensor best_mean(const ByChain& by, const at::Tensor& pae, const at::Tensor& below, const at::Tensor& counts,
                     const at::Tensor& scale) {
  const at::Tensor terms = below / (1 + (pae / scale).square());
  return by.extreme(by.sums(terms) / counts.clamp_min(1), "amax");
}

// Changes x.
at::Tensor without_diagonal(const at::Tensor& x) {
  x.fill_diagonal_(missing);
  return x.to(at::kFloat);
}

}  // namespace

double tm_scale(std::int64_t residues) { return scale_of(std::max(residues, least_tm_residues)); }

ChainPairs::ChainPairs(const FoldInput& input, at::Device device) {
  std::vector<std::int64_t> of_position(static_cast<std::size_t>(input.positions()), 0);
  lengths_.assign(static_cast<std::size_t>(input.chains()), 0);
  for (std::size_t i = 0; i < input.residues.size(); ++i) {
    const std::int64_t chain = input.chain_of(i);
    of_position[static_cast<std::size_t>(input.residues[i])] = chain;
    ++lengths_[static_cast<std::size_t>(chain)];
  }
  std::vector<std::int64_t> pairs;
  for (std::size_t a = 0; a < lengths_.size(); ++a) {
    for (std::size_t b = 0; b < lengths_.size(); ++b) pairs.push_back(a == b ? lengths_[a] : lengths_[a] + lengths_[b]);
  }
  sizes_ = pairs;
  std::ranges::sort(sizes_);
  sizes_.erase(std::ranges::unique(sizes_).begin(), sizes_.end());
  for (std::int64_t& size : pairs) size = std::ranges::lower_bound(sizes_, size) - sizes_.begin();
  of_position_ = int_tensor(of_position, device);
  size_of_pair_ = int_tensor(pairs, device).view({count(), count()});
}

std::int64_t ChainPairs::residues() const { return std::accumulate(lengths_.begin(), lengths_.end(), std::int64_t{0}); }

Interfaces interfaces_of(const AlignedErrors& errors, const at::Tensor& alpha, const at::Tensor& has_alpha,
                         const std::vector<std::int64_t>& chain_lengths, double cutoff) {
  const c10::InferenceMode guard;
  const ByChain by(chain_lengths, errors.pae.device());
  const at::Tensor pae = errors.pae.to(at::kDouble);                              // [L, L]
  const auto residues = static_cast<double>(pae.size(0));                         // L
  const at::Tensor complex_sums = by.sums(errors.complex_terms);                  // [L, C]
  const at::Tensor pair_sums = by.sums(errors.pair_terms);                        // [L, C]
  const at::Tensor all = complex_sums.sum(1);                                     // [L]
  const at::Tensor others = residues - by.lengths().index_select(0, by.chain());  // [L]

  Interfaces out;
  out.ptm = (all / residues).max().item<double>();
  out.iptm = ((all - by.own(complex_sums)) / others).max().item<double>();
  const at::Tensor means = by.extreme(pair_sums / by.lengths(), "amax");  // [C, C]
  out.chain_ptm = means.diagonal().to(at::kFloat);
  out.pair_iptm = without_diagonal(means.clone());

  const at::Tensor below = (pae < cutoff).to(at::kDouble);  // [L, L]
  const at::Tensor counts = by.sums(below);                 // [L, C]
  out.ipsae = without_diagonal(best_mean(by, pae, below, counts, sae_scale(counts).index_select(1, by.chain())));
  const at::Tensor both = by.lengths().unsqueeze(1) + by.lengths();  // [C, C]
  out.ipsae_d0chn = without_diagonal(
      best_mean(by, pae, below, counts, sae_scale(both).index_select(0, by.chain()).index_select(1, by.chain())));
  out.min_pae = without_diagonal(by.extreme(by.extreme(pae, "amin").t(), "amin").t().contiguous());

  const at::Tensor difference = alpha.unsqueeze(1) - alpha;  // [L, L, 3]
  const at::Tensor there = has_alpha.to(at::kDouble);        // [L]
  const at::Tensor near = (difference.square().sum(-1) <= contact_distance * contact_distance).to(at::kDouble) *
                          there.unsqueeze(1) * there;  // [L, L]
  out.contacts = without_diagonal(by.sums(by.sums(near).t()).t().contiguous());
  return out;
}

Interfaces interfaces_of_one_chain(double ptm) {
  const at::Tensor nothing = at::full({1, 1}, missing, at::kFloat);
  return {ptm, missing, at::full({1}, ptm, at::kFloat), nothing, nothing, nothing, nothing, nothing};
}

}  // namespace pleat
