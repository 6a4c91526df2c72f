// Structures whose every number is known.
#pragma once

#include "export/structure.h"
#include "results/store_fixture.h"

namespace pleat {

// `residues` with ':' between chains.
inline Structure example_structure(const std::string& residues, const std::string& id = "example") {
  Structure structure;
  structure.id = id;
  std::uint16_t chain = 0;
  for (const char letter : residues) {
    if (letter == ':') {
      ++chain;
      continue;
    }
    const bool goes_on = !structure.chain.empty() && structure.chain.back() == chain;
    structure.residue_number.push_back(goes_on ? structure.residue_number.back() + 1 : 1);
    structure.chain.push_back(chain);
    structure.residues += letter;
  }
  ResultLayout layout = folding_layout(DType::float32);
  layout.pae = false;
  const StructureResult made = structure_of(structure.residues, 1, layout);
  structure.positions = made.positions;
  structure.atom_mask = made.atom_mask;
  structure.plddt.resize(made.atom_mask.size());
  if (!made.plddt.empty()) std::memcpy(structure.plddt.data(), made.plddt.data(), made.plddt.size());
  structure.mean_plddt = made.mean_plddt;
  structure.ptm = made.ptm;
  return structure;
}

inline StructureOrigin example_origin() { return {"1.2.3", "esmfold_v1", "2025-01-31T12:00:00Z", ""}; }

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

// The lines that begin so.
inline std::vector<std::string> lines_of(const std::string& text, const std::string& begin) {
  std::vector<std::string> found;
  for (const std::string& line : lines_of(text)) {
    if (line.starts_with(begin)) found.push_back(line);
  }
  return found;
}

}  // namespace pleat
