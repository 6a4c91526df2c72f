#include "runtime/structure_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace pleat {
namespace {

constexpr std::size_t slots = 14;   // atoms of a residue
constexpr std::size_t c_alpha = 1;  // its slot

// 3.8 ångström in nearly every protein, 2.9 before a cis-proline.
constexpr double shortest_step = 2.5;
constexpr double longest_step = 5.0;
constexpr double believed_ptm = 0.95;
constexpr double least_spread = 1e-3;  // of pLDDT, 0 to 100
constexpr std::size_t residues_for_spread = 10;

bool all_finite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

bool has_c_alpha(const StructureNumbers& numbers, std::size_t residue) {
  return numbers.atom_mask[residue * slots + c_alpha] != 0;
}

double step_length(const StructureNumbers& numbers, std::size_t residue) {
  const float* const here = &numbers.positions[(residue * slots + c_alpha) * 3];
  const float* const next = here + slots * 3;
  return std::hypot(double{next[0]} - here[0], double{next[1]} - here[1], double{next[2]} - here[2]);
}

// "171 of 180 neighbouring ...", or nothing.
std::string broken_chain(const StructureNumbers& numbers) {
  std::size_t steps = 0;
  std::size_t broken = 0;
  for (std::size_t i = 0; i + 1 < numbers.chain.size(); ++i) {
    if (numbers.chain[i] != numbers.chain[i + 1] || !has_c_alpha(numbers, i) || !has_c_alpha(numbers, i + 1)) continue;
    ++steps;
    const double length = step_length(numbers, i);
    if (length < shortest_step || length > longest_step) ++broken;
  }
  if (2 * broken <= steps || numbers.ptm <= believed_ptm) return {};
  return fmt::format("{} of {} neighbouring C-alpha atoms are not {} to {} ångström apart, and yet pTM is {:.3f}",
                     broken, steps, shortest_step, longest_step, numbers.ptm);
}

std::string constant_confidence(const StructureNumbers& numbers) {
  std::size_t residues = 0;
  float lowest = 100;
  float highest = 0;
  for (std::size_t i = 0; i < numbers.chain.size(); ++i) {
    if (!has_c_alpha(numbers, i)) continue;
    ++residues;
    lowest = std::min(lowest, numbers.plddt[i * slots + c_alpha]);
    highest = std::max(highest, numbers.plddt[i * slots + c_alpha]);
  }
  if (residues <= residues_for_spread || highest - lowest >= least_spread) return {};
  return fmt::format("all {} residues have the same pLDDT of {:.2f}", residues, lowest);
}

}  // namespace

StructureVerdict check_structure(const StructureNumbers& numbers) {
  const auto not_finite = [](const char* what) {
    return StructureVerdict{false, RecordCode::not_finite, std::string(what) + " holds NaN or infinity"};
  };
  const bool any_atom = std::ranges::any_of(numbers.atom_mask, [](std::uint8_t there) { return there != 0; });
  if (!all_finite(numbers.positions)) return not_finite("structure");
  if (!all_finite(numbers.plddt) || (any_atom && !std::isfinite(numbers.mean_plddt))) return not_finite("pLDDT");
  if (!all_finite(numbers.pae)) return not_finite("PAE");
  if (!std::isfinite(numbers.ptm)) return not_finite("pTM");
  for (const std::string& doubt : {broken_chain(numbers), constant_confidence(numbers)}) {
    if (!doubt.empty()) return {true, RecordCode::suspicious_structure, doubt};
  }
  return {};
}

}  // namespace pleat
