// How the chains of a complex lie to one another, as results and files hold it.
#pragma once

#include <cstddef>
#include <vector>

namespace pleat {

// C chains. docs/results.md has the definitions.
struct StoredInterfaces {
  std::vector<float> iptm;              // [1] NaN with one chain
  std::vector<float> ptm_residues;      // [1]
  std::vector<float> chain_ptm;         // [C]
  std::vector<float> chain_mean_plddt;  // [C] NaN where a chain has no atoms
  // [C, C] row: the aligned chain, column: the scored one; NaN on the diagonal.
  std::vector<float> pair_iptm;
  std::vector<float> ipsae;
  std::vector<float> ipsae_d0chn;
  std::vector<float> min_pae;  // ångström
  std::vector<float> contacts;

  [[nodiscard]] std::size_t chains() const { return chain_ptm.size(); }
  [[nodiscard]] bool is_complex() const { return chains() > 1; }
  // The better of the two directions, which is what most people quote of a pair.
  [[nodiscard]] float best(const std::vector<float>& matrix, std::size_t a, std::size_t b) const;
};

}  // namespace pleat
