#include "export/confidence_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "sequence/residues.h"

namespace pleat {
namespace {

using Json = nlohmann::ordered_json;

bool has_atom(const Structure& structure, std::size_t residue, std::size_t slot) {
  return structure.atom_mask[residue * residues::slots + slot] != 0;
}

std::vector<std::size_t> tokens_of(const Structure& structure) {
  std::vector<std::size_t> tokens;
  for (std::size_t i = 0; i < structure.residues.size(); ++i) {
    bool any = false;
    for (std::size_t slot = 0; slot < residues::slots; ++slot) any = any || has_atom(structure, i, slot);
    if (any) tokens.push_back(i);
  }
  return tokens;
}

// "[\"A\",...]" and the like: one long line each, since a matrix of JSON values would take many times its text.
class List {
 public:
  void add(const std::string& value) { text_ += (text_.size() == 1 ? "" : ",") + value; }
  [[nodiscard]] std::string text() const { return text_ + "]"; }

 private:
  std::string text_ = "[";
};

std::string number(float value) { return std::isfinite(value) ? fmt::format("{}", value) : "null"; }
std::string quoted(const std::string& text) { return '"' + text + '"'; }

Json matrix(const std::vector<float>& values, std::size_t side) {
  Json rows = Json::array();
  for (std::size_t row = 0; row < side; ++row) {
    Json columns = Json::array();
    for (std::size_t column = 0; column < side; ++column) columns.push_back(values[row * side + column]);
    rows.push_back(std::move(columns));
  }
  return rows;
}

// The least PAE within each chain.
std::vector<float> least_errors(const Structure& structure, const std::vector<float>& pae) {
  std::vector<float> least(std::size_t{structure.chain.back()} + 1, std::numeric_limits<float>::infinity());
  const std::size_t length = structure.chain.size();
  for (std::size_t i = 0; i < length; ++i) {
    for (std::size_t j = 0; j < length; ++j) {
      if (structure.chain[i] != structure.chain[j]) continue;
      float& of_chain = least[structure.chain[i]];
      of_chain = std::min(of_chain, pae[i * length + j]);
    }
  }
  return least;
}

void add_chains(Json& json, const Structure& structure, const std::vector<float>& pae) {
  const StoredInterfaces& found = structure.interfaces;
  const std::size_t chains = found.chains();
  const std::vector<float> least = least_errors(structure, pae);
  std::vector<float> iptm = found.pair_iptm;
  std::vector<float> min_pae = found.min_pae;
  Json of_chain = Json::array();
  for (std::size_t a = 0; a < chains; ++a) {
    double sum = 0;
    for (std::size_t b = 0; b < chains; ++b) {
      if (a == b) continue;
      iptm[a * chains + b] = found.best(found.pair_iptm, a, b);
      sum += iptm[a * chains + b];
    }
    iptm[a * chains + a] = found.chain_ptm[a];
    min_pae[a * chains + a] = least[a];
    of_chain.push_back(chains > 1 ? Json(sum / static_cast<double>(chains - 1)) : Json(nullptr));
  }
  json["chain_ptm"] = found.chain_ptm;
  json["chain_mean_plddt"] = found.chain_mean_plddt;
  json["chain_iptm"] = std::move(of_chain);
  json["chain_pair_iptm"] = matrix(iptm, chains);
  json["chain_pair_pae_min"] = matrix(min_pae, chains);
  json["chain_pair_ipsae"] = matrix(found.ipsae, chains);
  json["chain_pair_ipsae_d0chn"] = matrix(found.ipsae_d0chn, chains);
  json["chain_pair_contacts"] = matrix(found.contacts, chains);
}

}  // namespace

std::string confidences_json(const Structure& structure, const std::vector<float>& pae) {
  List atom_chains;
  List atom_plddts;
  List token_chains;
  List token_numbers;
  List errors;
  const std::vector<std::size_t> tokens = tokens_of(structure);
  const std::size_t length = structure.residues.size();
  for (const std::size_t i : tokens) {
    const std::string chain = quoted(chain_name(structure.chain[i]));
    token_chains.add(chain);
    token_numbers.add(std::to_string(structure.residue_number[i]));
    for (std::size_t slot = 0; slot < residues::slots; ++slot) {
      if (!has_atom(structure, i, slot)) continue;
      atom_chains.add(chain);
      atom_plddts.add(fmt::format("{:.2f}", structure.plddt[i * residues::slots + slot]));
    }
    List row;
    for (const std::size_t j : tokens) row.add(number(pae[i * length + j]));
    errors.add(row.text());
  }
  return fmt::format(
      "{{\"atom_chain_ids\":{},\n\"atom_plddts\":{},\n\"token_chain_ids\":{},\n\"token_res_ids\":{},\n\"pae\":{}}}\n",
      atom_chains.text(), atom_plddts.text(), token_chains.text(), token_numbers.text(), errors.text());
}

std::string summary_json(const Structure& structure, const std::vector<float>& pae, const StructureOrigin& origin) {
  const bool has_interfaces = structure.interfaces.chains() > 0;
  Json json;
  json["id"] = structure.id;
  json["model"] = origin.model_name;
  json["pleat_version"] = origin.pleat_version;
  if (!origin.untrained_note.empty()) json["untrained_weights"] = origin.untrained_note;
  json["ptm"] = has_interfaces ? structure.interfaces.ptm_residues.front() : structure.ptm;
  json["iptm"] = has_interfaces ? Json(structure.interfaces.iptm.front()) : Json(nullptr);
  json["mean_plddt"] = structure.mean_plddt;
  if (has_interfaces) add_chains(json, structure, pae);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace pleat
