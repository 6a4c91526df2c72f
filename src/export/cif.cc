// mmCIF with the categories of ModelCIF (https://mmcif.wwpdb.org/dictionaries/mmcif_ma.dic), the extension for computed
// models. gemmi writes the atoms and quotes what needs quotes.
#define GEMMI_WRITE_IMPLEMENTATION  // gemmi up to 0.5 is headers only; later ones ignore it
#include <algorithm>
#include <gemmi/to_cif.hpp>
#include <gemmi/to_mmcif.hpp>
#include <set>
#include <sstream>

#include "export/cif_interfaces.h"
#include "export/file_names.h"
#include "export/gemmi_model.h"
#include "export/structure.h"
#include "sequence/residues.h"

namespace pleat {
namespace {

namespace cif = gemmi::cif;

constexpr std::size_t longest_text = 400;
constexpr const char* software_group = "1";
constexpr const char* model_data = "1";
constexpr const char* model_number = "1";
// Rows of _ma_qa_metric.
constexpr const char* global_plddt = "1";
constexpr const char* local_plddt = "2";
constexpr const char* global_ptm = "3";
constexpr int first_interface_metric = 4;

using Row = CifRow;

// Values come as they are; what needs quotes gets them. "." and "?" stay what they are in CIF: not applicable, unknown.
void add_loop(cif::Block& block, const char* category, const Row& tags, const std::vector<Row>& rows) {
  cif::Loop& loop = block.init_mmcif_loop(category, tags);
  for (const Row& row : rows) {
    for (const std::string& value : row)
      loop.values.push_back(value == "." || value == "?" ? value : cif::quote(value));
  }
}

// The data set of each entity follows that of the model.
std::string target_data(std::size_t entity) { return std::to_string(entity + 2); }

std::string one_letter_codes(const gemmi::Entity& entity, bool canonical) {
  std::string codes;
  for (const std::string& name : entity.full_sequence) {
    const auto place = std::find(residues::names.begin(), residues::names.end(), name) - residues::names.begin();
    const char letter = residues::letters[static_cast<std::size_t>(place)];
    codes += letter == 'X' && !canonical ? "(UNK)" : std::string(1, letter);
  }
  constexpr std::size_t line_width = 80;
  for (std::size_t end = line_width; end < codes.size(); end += line_width + 1) codes.insert(end, 1, '\n');
  return codes;
}

// Where each residue of each chain is in the sequence: what mkdssp and AlphaFill go by. A residue without atoms is in
// the sequence and was not seen in the model, which `?` says.
void add_sequence_scheme(cif::Block& block, const gemmi::Structure& model) {
  std::vector<Row> rows;
  for (const gemmi::Entity& entity : model.entities) {
    for (const std::string& name : entity.subchains) {
      const gemmi::Chain* const chain = model.models[0].find_chain(name);
      for (std::size_t i = 0; i < entity.full_sequence.size(); ++i) {
        const gemmi::Residue& residue = chain->residues[i];
        const bool seen = !residue.atoms.empty();
        const std::string number = residue.seqid.num.str();
        rows.push_back({name, entity.name, std::to_string(i + 1), residue.name, std::to_string(i + 1), number,
                        seen ? number : "?", seen ? residue.name : "?", seen ? residue.name : "?", name, ".", "n"});
      }
    }
  }
  add_loop(block, "_pdbx_poly_seq_scheme.",
           {"asym_id", "entity_id", "seq_id", "mon_id", "ndb_seq_num", "pdb_seq_num", "auth_seq_num", "pdb_mon_id",
            "auth_mon_id", "pdb_strand_id", "pdb_ins_code", "hetero"},
           rows);
}

void add_entities(cif::Block& block, const gemmi::Structure& model) {
  std::vector<Row> entities;
  std::vector<Row> polymers;
  std::vector<Row> sequence;
  std::vector<Row> instances;
  for (const gemmi::Entity& entity : model.entities) {
    entities.push_back({entity.name, "polymer", "?"});
    polymers.push_back({entity.name, "polypeptide(L)", "no", "no", one_letter_codes(entity, false),
                        one_letter_codes(entity, true), gemmi::join_str(entity.subchains, ",")});
    for (std::size_t i = 0; i < entity.full_sequence.size(); ++i) {
      sequence.push_back({entity.name, std::to_string(i + 1), entity.full_sequence[i], "n"});
    }
    for (const std::string& chain : entity.subchains) instances.push_back({chain, entity.name, "?"});
  }
  add_loop(block, "_entity.", {"id", "type", "pdbx_description"}, entities);
  add_loop(block, "_entity_poly.",
           {"entity_id", "type", "nstd_linkage", "nstd_monomer", "pdbx_seq_one_letter_code",
            "pdbx_seq_one_letter_code_can", "pdbx_strand_id"},
           polymers);
  add_loop(block, "_entity_poly_seq.", {"entity_id", "num", "mon_id", "hetero"}, sequence);
  add_loop(block, "_struct_asym.", {"id", "entity_id", "details"}, instances);
}

void add_components(cif::Block& block, const gemmi::Structure& model) {
  std::set<std::string> names;
  for (const gemmi::Entity& entity : model.entities) {
    names.insert(entity.full_sequence.begin(), entity.full_sequence.end());
  }
  std::vector<Row> rows;
  rows.reserve(names.size());
  for (const std::string& name : names) {
    rows.push_back({name, name == "GLY" ? "peptide linking" : "L-peptide linking", "CCD Core"});
  }
  add_loop(block, "_chem_comp.", {"id", "type", "ma_provenance"}, rows);
}

void add_description(cif::Block& block, const Structure& structure, const StructureOrigin& origin) {
  const std::string id = ascii_text(structure.id, longest_text);
  const std::string description = ascii_text(structure.description, longest_text);
  std::string details = "Predicted by the model " + ascii_text(origin.model_name, longest_text) + ".";
  if (!origin.untrained_note.empty()) {
    details += " UNTRAINED: " + ascii_text(origin.untrained_note, longest_text);
  }
  block.set_pair("_entry.id", cif::quote(block.name));
  add_loop(block, "_struct.", {"entry_id", "title", "pdbx_model_details", "pdbx_structure_determination_methodology"},
           {{block.name, description.empty() ? id : id + " " + description, details, "computational"}});
  add_loop(block, "_audit_conform.", {"dict_name", "dict_version", "dict_location"},
           {{"mmcif_ma.dic", "1.4.9", "https://raw.githubusercontent.com/ihmwg/ModelCIF/master/dist/mmcif_ma.dic"}});
}

void add_protocol(cif::Block& block, const gemmi::Structure& model, const StructureOrigin& origin) {
  const std::string weights = ascii_text(origin.model_name, longest_text);
  const std::string version = ascii_text(origin.pleat_version, longest_text);
  add_loop(block, "_software.", {"pdbx_ordinal", "name", "version", "type", "classification", "description"},
           {{"1", "pleat", version.empty() ? "?" : version, "program", "model building",
             "ESMFold structure prediction, weights " + weights}});
  add_loop(block, "_ma_software_group.", {"ordinal_id", "group_id", "software_id"}, {{"1", software_group, "1"}});

  std::vector<Row> data{{model_data, "Predicted structure", "model coordinates"}};
  std::vector<Row> targets;
  std::vector<Row> instances;
  for (std::size_t i = 0; i < model.entities.size(); ++i) {
    const gemmi::Entity& entity = model.entities[i];
    data.push_back({target_data(i), "Target sequence " + entity.name, "target"});
    targets.push_back({entity.name, target_data(i), "."});
    for (const std::string& chain : entity.subchains) instances.push_back({chain, entity.name, "."});
  }
  add_loop(block, "_ma_data.", {"id", "name", "content_type"}, data);
  add_loop(block, "_ma_target_entity.", {"entity_id", "data_id", "origin"}, targets);
  add_loop(block, "_ma_target_entity_instance.", {"asym_id", "entity_id", "details"}, instances);
  add_loop(block, "_ma_protocol_step.", {"ordinal_id", "protocol_id", "step_id", "method_type", "software_group_id"},
           {{"1", "1", "1", "modeling", software_group}});
  add_loop(block, "_ma_model_list.", {"ordinal_id", "model_id", "model_name", "data_id", "model_type"},
           {{"1", model_number, "Predicted structure", model_data, "Ab initio model"}});
}

// Of chains, and of each two.
void add_features(cif::Block& block, const CifMetrics& found) {
  add_loop(block, "_ma_feature_list.", {"feature_id", "feature_type", "entity_type", "details"}, found.features);
  add_loop(block, "_ma_entity_instance_feature.", {"ordinal_id", "feature_id", "label_asym_id"}, found.instances);
  std::vector<Row> rows;
  rows.reserve(std::max(found.of_chains.size(), found.of_chain_pairs.size()));
  for (const Row& row : found.of_chains) {
    rows.push_back({std::to_string(rows.size() + 1), model_number, row[0], row[1], row[2]});
  }
  add_loop(block, "_ma_qa_metric_feature.", {"ordinal_id", "model_id", "feature_id", "metric_id", "metric_value"},
           rows);
  rows.clear();
  for (const Row& row : found.of_chain_pairs) {
    rows.push_back({std::to_string(rows.size() + 1), model_number, row[0], row[1], row[2], row[3]});
  }
  add_loop(block, "_ma_qa_metric_feature_pairwise.",
           {"ordinal_id", "model_id", "feature_id_1", "feature_id_2", "metric_id", "metric_value"}, rows);
}

// Metrics of the whole, and what each of all metrics is.
void add_metrics(cif::Block& block, const Structure& structure, const CifMetrics& interfaces) {
  std::vector<Row> metrics{{global_plddt, "pLDDT", "Mean over all atoms", "pLDDT", "global", "."},
                           {local_plddt, "pLDDT", "Of the residue's CA; _atom_site.B_iso_or_equiv has it for each atom",
                            "pLDDT", "local", "."},
                           {global_ptm, "pTM", "Predicted TM-score", "pTM", "global", "."}};
  std::vector<Row> globals{{global_plddt, decimal_text(structure.mean_plddt, 2, "?")},
                           {global_ptm, decimal_text(structure.ptm, 4, "?")}};
  metrics.insert(metrics.end(), interfaces.metrics.begin(), interfaces.metrics.end());
  globals.insert(globals.end(), interfaces.globals.begin(), interfaces.globals.end());
  for (Row& row : metrics) row.emplace_back(software_group);
  for (std::size_t i = 0; i < globals.size(); ++i) {
    globals[i].insert(globals[i].begin(), {std::to_string(i + 1), model_number});
  }
  Row tags{"id", "name", "description", "type", "mode", "type_other_details", "software_group_id"};
  if (interfaces.metrics.empty()) {  // nothing is of another type
    constexpr std::ptrdiff_t details = 5;
    tags.erase(tags.begin() + details);
    for (Row& row : metrics) row.erase(row.begin() + details);
  }
  add_loop(block, "_ma_qa_metric.", tags, metrics);
  add_loop(block, "_ma_qa_metric_global.", {"ordinal_id", "model_id", "metric_id", "metric_value"}, globals);
}

void add_confidence(cif::Block& block, const Structure& structure, const gemmi::Structure& model) {
  const bool is_complex = structure.interfaces.is_complex();
  const CifMetrics interfaces =
      is_complex ? interface_metrics(structure.interfaces, first_interface_metric) : CifMetrics();
  add_metrics(block, structure, interfaces);
  std::vector<Row> rows;
  for (const gemmi::Chain& chain : model.models[0].chains) {
    for (const gemmi::Residue& residue : chain.residues) {
      const gemmi::Atom* const alpha = residue.get_ca();
      if (alpha == nullptr) continue;
      rows.push_back({std::to_string(rows.size() + 1), model_number, chain.name, residue.label_seq.str(), residue.name,
                      local_plddt, decimal_text(alpha->b_iso, 2, "?")});
    }
  }
  add_loop(block, "_ma_qa_metric_local.",
           {"ordinal_id", "model_id", "label_asym_id", "label_seq_id", "label_comp_id", "metric_id", "metric_value"},
           rows);
  if (is_complex) add_features(block, interfaces);
}

void add_atoms(cif::Block& block, const gemmi::Structure& model) {
  gemmi::MmcifOutputGroups groups(false);
  groups.atom_type = true;
  groups.atoms = true;
  groups.group_pdb = true;
  gemmi::update_mmcif_block(model, block, groups);
}

}  // namespace

std::string cif_text(const Structure& structure, const StructureOrigin& origin) {
  const gemmi::Structure model = gemmi_structure(structure);
  cif::Document document;
  cif::Block& block = document.add_new_block(safe_name(structure.id));
  add_description(block, structure, origin);
  add_components(block, model);
  add_entities(block, model);
  add_sequence_scheme(block, model);
  add_protocol(block, model, origin);
  add_confidence(block, structure, model);
  add_atoms(block, model);
  std::ostringstream out;
  cif::write_cif_to_stream(out, document);
  return out.str();
}

}  // namespace pleat
