// PDB format 3.30 through gemmi. Its own title and remarks are used, since gemmi would write a record's id in capitals.
#define GEMMI_WRITE_IMPLEMENTATION  // gemmi up to 0.5 is headers only; later ones ignore it
#include <algorithm>
#include <gemmi/to_pdb.hpp>
#include <sstream>

#include "export/gemmi_model.h"
#include "export/structure.h"

namespace pleat {
namespace {

constexpr std::size_t line_width = 80;

void add_line(std::vector<std::string>& lines, std::string text) {
  text.resize(line_width, ' ');
  lines.push_back(std::move(text));
}

// Breaks at a blank where there is one. Lines after the first carry their number, as TITLE wants it.
void add_title(std::vector<std::string>& lines, std::string_view text) {
  constexpr std::size_t width = 69;
  for (int number = 1; !text.empty(); ++number) {
    std::size_t end = std::min(width, text.size());
    if (end < text.size()) {
      const std::size_t blank = text.rfind(' ', end);
      if (blank != std::string_view::npos && blank > 0) end = blank;
    }
    std::string head = "TITLE     ";
    if (number > 1) {
      const std::string digits = std::to_string(number);
      head.replace(head.size() - digits.size(), digits.size(), digits);
    }
    add_line(lines, head + std::string(text.substr(0, end)));
    text.remove_prefix(end);
  }
}

// Remarks 6 to 99 are free text.
void add_remark(std::vector<std::string>& lines, std::string_view text) {
  constexpr std::size_t width = 69;
  while (!text.empty()) {
    std::size_t end = std::min(width, text.size());
    const std::size_t blank = end < text.size() ? text.rfind(' ', end) : std::string_view::npos;
    if (blank != std::string_view::npos && blank > 0) end = blank;
    add_line(lines, "REMARK   6 " + std::string(text.substr(0, end)));
    text.remove_prefix(end);
    if (text.starts_with(' ')) text.remove_prefix(1);
  }
}

// How sure the model is of each chain of a complex, and of each two.
void add_interfaces(std::vector<std::string>& lines, const StoredInterfaces& found) {
  add_remark(lines, "PTM WITHOUT LINKERS: " + decimal_text(found.ptm_residues.front(), 4, "UNKNOWN"));
  add_remark(lines, "IPTM: " + decimal_text(found.iptm.front(), 4, "UNKNOWN"));
  const auto name = [](std::size_t chain) { return chain_name(static_cast<std::int64_t>(chain)); };
  const std::size_t chains = found.chains();
  for (std::size_t a = 0; a < chains; ++a) {
    add_remark(lines, "CHAIN " + name(a) + ": PTM " + decimal_text(found.chain_ptm[a], 4, "UNKNOWN") + " MEAN PLDDT " +
                          decimal_text(found.chain_mean_plddt[a], 2, "UNKNOWN"));
  }
  add_remark(lines, "OF TWO CHAINS THE FIRST IS ALIGNED AND THE SECOND IS SCORED");
  for (std::size_t pair = 0; pair < chains * chains; ++pair) {
    if (pair / chains == pair % chains) continue;
    add_remark(lines, "CHAINS " + name(pair / chains) + " " + name(pair % chains) + ": IPTM " +
                          decimal_text(found.pair_iptm[pair], 4, "UNKNOWN") + " IPSAE " +
                          decimal_text(found.ipsae[pair], 4, "UNKNOWN") + " MIN PAE " +
                          decimal_text(found.min_pae[pair], 2, "UNKNOWN") + " CONTACTS " +
                          decimal_text(found.contacts[pair], 0, "UNKNOWN"));
  }
}

std::vector<std::string> head_lines(const Structure& structure, const StructureOrigin& origin) {
  constexpr std::size_t longest = 400;
  const std::string id = ascii_text(structure.id, longest);
  const std::string description = ascii_text(structure.description, longest);
  std::vector<std::string> lines;
  add_line(lines, "HEADER    PREDICTED STRUCTURE");
  add_title(lines, description.empty() ? id : id + " " + description);
  add_line(lines, "EXPDTA    THEORETICAL MODEL");
  add_line(lines, "REMARK   6");
  add_remark(lines, "RECORD: " + id);
  add_remark(lines, "PROGRAM: pleat " + ascii_text(origin.pleat_version, longest));
  add_remark(lines, "MODEL: " + ascii_text(origin.model_name, longest));
  add_remark(lines, "CREATED: " + ascii_text(origin.created_utc, longest));
  add_remark(lines, "MEAN PLDDT: " + decimal_text(structure.mean_plddt, 2, "UNKNOWN"));
  add_remark(lines, "PTM: " + decimal_text(structure.ptm, 4, "UNKNOWN"));
  if (structure.interfaces.is_complex()) add_interfaces(lines, structure.interfaces);
  add_remark(lines, "THE COLUMN OF B-FACTORS HOLDS THE PLDDT OF EACH ATOM, 0 TO 100");
  if (!origin.untrained_note.empty()) add_remark(lines, "UNTRAINED: " + ascii_text(origin.untrained_note, longest));
  return lines;
}

}  // namespace

std::string pdb_text(const Structure& structure, const StructureOrigin& origin) {
  gemmi::Structure model = gemmi_structure(structure);
  model.raw_remarks = head_lines(structure, origin);
  model.info["_cell.Z_PDB"] = "1";
  std::ostringstream out;
  gemmi::write_pdb(model, out);
  return out.str();
}

}  // namespace pleat
