#include "export/gemmi_model.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <map>

#include "core/printable.h"
#include "sequence/residues.h"

namespace pleat {
namespace {

double rounded(double value, double steps) { return std::round(value * steps) / steps; }

gemmi::Residue gemmi_residue(const Structure& structure, std::size_t at, const std::string& chain) {
  const std::size_t type = residues::type_of(structure.residues[at]);
  gemmi::Residue residue;
  residue.name = residues::names[type];
  residue.seqid = gemmi::SeqId(structure.residue_number[at], ' ');
  residue.label_seq = structure.residue_number[at];
  residue.subchain = chain;
  residue.entity_type = gemmi::EntityType::Polymer;
  residue.het_flag = 'A';
  for (std::size_t slot = 0; slot < residues::slots; ++slot) {
    const std::size_t place = at * residues::slots + slot;
    const std::string_view name = residues::atom_names[type][slot];
    if (structure.atom_mask[place] == 0 || name.empty()) continue;
    gemmi::Atom atom;
    atom.name = name;
    atom.element = gemmi::Element(std::string(1, name.front()));
    const float* const xyz = &structure.positions[3 * place];
    atom.pos = gemmi::Position(rounded(xyz[0], 1e3), rounded(xyz[1], 1e3), rounded(xyz[2], 1e3));
    atom.b_iso = static_cast<float>(rounded(structure.plddt[place], 1e2));
    residue.atoms.push_back(atom);
  }
  return residue;
}

// Chains with the same residues are the same molecule.
void add_entities(gemmi::Structure& out) {
  std::map<std::vector<std::string>, std::size_t> known;
  for (const gemmi::Chain& chain : out.models[0].chains) {
    std::vector<std::string> sequence;
    sequence.reserve(chain.residues.size());
    for (const gemmi::Residue& residue : chain.residues) sequence.push_back(residue.name);
    const auto [found, is_new] = known.try_emplace(sequence, out.entities.size());
    if (is_new) {
      gemmi::Entity entity(std::to_string(out.entities.size() + 1));
      entity.entity_type = gemmi::EntityType::Polymer;
      entity.polymer_type = gemmi::PolymerType::PeptideL;
      entity.full_sequence = std::move(sequence);
      out.entities.push_back(std::move(entity));
    }
    out.entities[found->second].subchains.push_back(chain.name);
  }
}

}  // namespace

gemmi::Structure gemmi_structure(const Structure& structure) {
  gemmi::Structure out;
  out.models.emplace_back("1");
  std::vector<gemmi::Chain>& chains = out.models[0].chains;
  for (std::size_t at = 0; at < structure.residues.size(); ++at) {
    if (at == 0 || structure.chain[at] != structure.chain[at - 1]) chains.emplace_back(chain_name(structure.chain[at]));
    chains.back().residues.push_back(gemmi_residue(structure, at, chains.back().name));
  }
  add_entities(out);
  return out;
}

std::string ascii_text(std::string_view text, std::size_t longest) {
  const std::string shown = printable(text, longest);
  std::string ascii;
  for (const char c : shown) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0U) == 0x80U) continue;  // the rest of a character that is '?' already
    ascii += byte < 0x80U ? c : '?';
  }
  return ascii;
}

std::string decimal_text(double value, int digits, const char* missing) {
  if (!std::isfinite(value)) return missing;
  std::array<char, 64> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return {text.data(), static_cast<std::size_t>(length)};
}

}  // namespace pleat
