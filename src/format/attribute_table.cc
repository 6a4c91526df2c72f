// The attributes of the result file, and what both tables say in words.
#include <fmt/format.h>

#include <algorithm>

#include "core/ascii.h"
#include "core/error.h"
#include "format/schema.h"
#include "format/schema_table.h"
#include "sequence/residues.h"

namespace pleat::schema {
namespace {

std::vector<std::string> in_angstrom(const ResultLayout& /*layout*/) { return {angstrom}; }
std::vector<std::string> substituted_letters(const ResultLayout& /*layout*/) {
  std::vector<std::string> letters;
  for (const char letter : residues::amino_acids) letters.emplace_back(1, letter);
  return letters;
}
std::vector<std::string> residue_letters(const ResultLayout& /*layout*/) { return {std::string(residues::letters)}; }

constexpr std::array attributes{
    AttributeEntry{"/", attr_format, "utf8", "", Present::always, "`pleat-results`."},
    AttributeEntry{"/", attr_schema_version, "int32", "", Present::always, "The version of this format, 1."},
    AttributeEntry{"/", attr_complete, "uint8", "", Present::always, "1. A file under its final name is always whole."},
    AttributeEntry{"/", attr_pleat_version, "utf8", "", Present::always, "The version of pleat that computed it.",
                   &FileAttributes::pleat_version},
    AttributeEntry{"/", attr_created_utc, "utf8", "", Present::always, "When the run began, as 2026-01-31T12:00:00Z.",
                   &FileAttributes::created_utc},
    AttributeEntry{"/", attr_manifest_yaml, "utf8", "", Present::always, "The manifest's text.",
                   &FileAttributes::manifest_yaml},
    AttributeEntry{"/", attr_manifest_overrides, "utf8", "", Present::always,
                   "What options changed in it, one `key=value` a line.", &FileAttributes::manifest_overrides},
    AttributeEntry{"/", attr_manifest_sha256, "utf8", "", Present::always, "SHA-256 of both, in hexadecimal digits.",
                   &FileAttributes::manifest_sha256},
    AttributeEntry{"/", attr_inputs_sha256, "utf8", "", Present::always,
                   "SHA-256 of every record of the inputs, also in a shard.", &FileAttributes::inputs_sha256},
    AttributeEntry{"/", attr_model_name, "utf8", "", Present::always, "The model, as the manifest names it.",
                   &FileAttributes::model_name},
    AttributeEntry{"/", attr_model_sha256, "utf8", "", Present::always, "SHA-256 of its weights and configuration.",
                   &FileAttributes::model_sha256},
    AttributeEntry{"/", attr_precision, "utf8", "", Present::always,
                   "The arithmetic: `float32`, `tf32`, `bfloat16` or `float16`.", &FileAttributes::precision},
    AttributeEntry{"/", attr_devices, "utf8", "", Present::always, "What computed it.", &FileAttributes::devices},
    AttributeEntry{"/", attr_source_revision, "utf8", "", Present::always, "The commit that this pleat was built from.",
                   &FileAttributes::source_revision},
    AttributeEntry{"/", attr_untrained, "utf8", "", Present::where_untrained,
                   "A sentence that says so: the numbers then say nothing about proteins."},
    AttributeEntry{"/", attr_shard_index, "int64", "", Present::in_shard, "Which shard it is, from 1.",
                   &ShardPart::index},
    AttributeEntry{"/", attr_shard_count, "int64", "", Present::in_shard, "How many shards there are.",
                   &ShardPart::count},
    AttributeEntry{"/", attr_total_records, "int64", "", Present::in_shard, "Records of the inputs, in all shards.",
                   &ShardPart::records},
    AttributeEntry{"/", attr_total_sequences, "int64", "", Present::in_shard, "Unique sequences, in all shards.",
                   &ShardPart::sequences},
    AttributeEntry{"/", attr_missing_shards, "int64", "missing", Present::where_shards_lack,
                   "The numbers of the shards whose records are not there."},
    AttributeEntry{"strings", attr_text_sha256, "utf8", "", Present::always,
                   "SHA-256 of the column's texts in order, each with a zero byte behind it, since HDF5 has no "
                   "checksum for strings of varying length."},
    AttributeEntry{positions, attr_units, "utf8", "", Present::with_structure, "`ångström`.", LayoutTexts(in_angstrom)},
    AttributeEntry{pae, attr_units, "utf8", "", Present::with_pae, "`ångström`.", LayoutTexts(in_angstrom)},
    AttributeEntry{distance_mean, attr_units, "utf8", "", Present::with_distances, "`ångström`.",
                   LayoutTexts(in_angstrom)},
    AttributeEntry{distance_spread, attr_units, "utf8", "", Present::with_distances, "`ångström`.",
                   LayoutTexts(in_angstrom)},
    AttributeEntry{logits, attr_alphabet, "utf8", "A", Present::with_logits, "The letter of each column.",
                   LayoutTexts([](const ResultLayout& layout) { return layout.alphabet; })},
    AttributeEntry{substitution_scores, attr_alphabet, "utf8", "20", Present::with_substitutions,
                   "The amino acid of each column.", LayoutTexts(substituted_letters)},
    AttributeEntry{atom14_names, attr_residues, "utf8", "", Present::with_structure,
                   "The rows as one-letter codes: `ARNDCQEGHILKMFPSTWYVX`.", LayoutTexts(residue_letters)},
};

constexpr std::array letters{
    ShapeLetter{"N", "input records"},
    ShapeLetter{"I", "input files"},
    ShapeLetter{"U", "unique sequences"},
    ShapeLetter{"R", "residues of the unique sequences, all together"},
    ShapeLetter{"L", "residues of one sequence"},
    ShapeLetter{"C", "chains of one sequence"},
    ShapeLetter{"D", "the model's width"},
    ShapeLetter{"S", "the width of the folding trunk's sequence state"},
    ShapeLetter{"T", "rows of the table of variants"},
    ShapeLetter{"V", "of them those that are scored"},
    ShapeLetter{"A", "letters of the model's alphabet"},
    ShapeLetter{"H", "heads of the model's attention"},
};

// "/embeddings/layer_NN/mean" fits "/embeddings/layer_06/mean".
bool fits(std::string_view pattern, std::string_view path) {
  const std::size_t number = pattern.find("NN");
  if (number == std::string_view::npos) return pattern == path;
  if (path.substr(0, number) != pattern.substr(0, number)) return false;
  const std::string_view rest = path.substr(number);
  const std::size_t digits = static_cast<std::size_t>(std::ranges::find_if_not(rest, is_digit) - rest.begin());
  return digits >= 2 && rest.substr(digits) == pattern.substr(number + 2);
}

std::string rows_text(const DatasetEntry& entry) {
  if (entry.is_offsets()) return "U + 1";
  switch (entry.extent) {
    case Extent::record: return "N";
    case Extent::input: return "I";
    case Extent::residue_kind: return std::to_string(residues::types);
    case Extent::sequence: return "U";
    case Extent::residue: return "R";
    case Extent::variant_row: return "T";
    case Extent::pair: return "sum of L * L";
    case Extent::variant: return "V";
    case Extent::chain: return "sum of C";
    case Extent::chain_pair: return "sum of C * C";
  }
  throw Error(ErrorCode::internal, "rows of no kind");
}

}  // namespace

std::string_view text_of(Present present) {
  switch (present) {
    case Present::always:
    case Present::since_inputs: return "";
    case Present::in_shard: return "in the file of a shard";
    case Present::with_pairs: return "pairs";
    case Present::where_untrained: return "where the weights are untrained";
    case Present::where_shards_lack: return "where `pleat merge` lacked shards";
    case Present::with_mean:
    case Present::with_bos:
    case Present::with_per_residue: return "tasks.embeddings";
    case Present::with_logits: return "tasks.logits";
    case Present::with_contacts: return "tasks.contacts";
    case Present::with_attentions: return "tasks.attentions";
    case Present::with_scores: return "tasks.scoring";
    case Present::with_substitutions: return "tasks.scoring.variants: all_single";
    case Present::with_variants: return "tasks.scoring.variants: a table";
    case Present::with_structure: return "tasks.structure";
    case Present::with_pae: return "tasks.structure.pae";
    case Present::with_interfaces: return "tasks.structure.interfaces";
    case Present::with_distances: return "tasks.structure.distogram";
    case Present::with_distance_bins: return "tasks.structure.distogram.bins";
    case Present::with_trunk_states: return "tasks.structure.trunk_states";
  }
  throw Error(ErrorCode::internal, "a dataset that is never there");
}

bool is_asked_for(Present present, const ResultLayout& layout) {
  const bool has_layers = !layout.layers.empty();
  switch (present) {
    case Present::with_mean: return has_layers && layout.mean;
    case Present::with_bos: return has_layers && layout.bos;
    case Present::with_per_residue: return has_layers && layout.per_residue;
    case Present::with_logits: return layout.logits;
    case Present::with_contacts: return layout.contacts;
    case Present::with_attentions: return !layout.attention_layers.empty();
    case Present::with_scores: return layout.scores;
    case Present::with_substitutions: return layout.substitutions;
    case Present::with_variants: return layout.variants;
    case Present::with_structure: return layout.structure;
    case Present::with_pae: return layout.pae;
    case Present::with_interfaces: return layout.interfaces;
    case Present::with_distances: return layout.distances;
    case Present::with_distance_bins: return layout.distance_bins;
    case Present::with_trunk_states: return layout.trunk_states;
    default: return false;
  }
}

namespace {

std::string size_text(std::int64_t size) {
  switch (size) {
    case model_width: return "D";
    case letters_of_model: return "A";
    case trunk_width: return "S";
    case heads_of_model: return "H";
    default: return std::to_string(size);
  }
}

}  // namespace

const std::vector<std::int64_t>& layers_of(Present present, const ResultLayout& layout) {
  return present == Present::with_attentions ? layout.attention_layers : layout.layers;
}

std::string DatasetEntry::shape_text() const {
  std::string text = rows_text(*this);
  for (const std::int64_t size : sizes()) {
    text += ", " + size_text(size);
  }
  return text;
}

std::vector<std::int64_t> DatasetEntry::sizes() const { return {row_shape.begin(), std::ranges::find(row_shape, 0)}; }

std::span<const AttributeEntry> attribute_table() { return attributes; }
std::span<const ShapeLetter> shape_letters() { return letters; }

const DatasetEntry* find_dataset(std::string_view path) {
  const std::span<const DatasetEntry> table = dataset_table();
  const auto found = std::ranges::find_if(table, [&](const DatasetEntry& entry) { return fits(entry.path, path); });
  return found == table.end() ? nullptr : &*found;
}

}  // namespace pleat::schema
