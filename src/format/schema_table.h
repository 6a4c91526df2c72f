// The result file as a table: one row per dataset and attribute, with the names of schema.h. It drives the writer, the
// reader, merge, verify, inspect and docs/results-reference.md. A new dataset is a row here and the code that computes
// it: a member of SequenceResult that the row names, or SequenceResult::extra.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "format/element.h"
#include "format/extent.h"
#include "format/file_attributes.h"
#include "format/sequence_result.h"
#include "sequence/dataset.h"

namespace pleat::schema {

// When a dataset or an attribute is in the file.
enum class Present : std::uint8_t {
  always,
  since_inputs,  // always, but in files from before there was /inputs
  in_shard,
  with_pairs,
  where_untrained,
  where_shards_lack,
  with_mean,
  with_bos,
  with_per_residue,
  with_logits,
  with_contacts,
  with_attentions,
  with_scores,
  with_substitutions,
  with_variants,
  with_structure,
  with_pae,
  with_interfaces,
  with_distances,
  with_distance_bins,
  with_trunk_states,
};

// For the reference page; "" for what is always there.
[[nodiscard]] std::string_view text_of(Present present);
// Whether results of this layout hold it.
[[nodiscard]] bool is_asked_for(Present present, const ResultLayout& layout);
// For which layers a dataset of layers is there.
[[nodiscard]] const std::vector<std::int64_t>& layers_of(Present present, const ResultLayout& layout);

// One row of /records.
struct StoredRecord {
  Record record;
  double seconds = std::numeric_limits<double>::quiet_NaN();
  std::int32_t attempts = 0;
  MemoryRung rung = MemoryRung::planned;
  std::string device;
};

// Where the values of a dataset come from, and where they are read into.
using RecordField = std::variant<std::string*, std::int64_t*, RecordStatus*> (*)(Record&);
using OutcomeField = std::variant<std::string*, double*, std::int32_t*, MemoryRung*> (*)(StoredRecord&);
using InputText = std::string InputReport::*;
using InputNumber = std::int64_t InputReport::*;
using VariantText = std::string VariantRow::*;
using Places = std::vector<std::int64_t> ShardPart::*;
// Of records that are complexes: which of Dataset::parts.
struct PartName {
  std::size_t number;
};
// The bytes of the whole dataset, which may lie in `scratch`.
using OfSequences = std::span<const std::byte> (*)(const SequenceTable&, std::vector<std::byte>& scratch);
// Of the sequences: at which row of datasets of that extent each one begins, [U + 1].
struct Offsets {
  Extent of;
};
// Computed, and a member of the result; `layer` counts ResultLayout::layers.
using Values =
    std::variant<std::vector<std::byte>*, std::vector<float>*, std::vector<std::uint8_t>*, float*, std::int32_t*>;
using ResultField = Values (*)(SequenceResult&, std::size_t layer);
// Computed, and in SequenceResult::extra under the dataset's path.
struct Extra {};
using Content = std::variant<Extra, ResultField, RecordField, OutcomeField, PartName, InputText, InputNumber,
                             VariantText, Places, OfSequences, Offsets>;

// Sizes of row_shape that depend on the model.
inline constexpr std::int64_t model_width = -1;       // D
inline constexpr std::int64_t letters_of_model = -2;  // A
inline constexpr std::int64_t trunk_width = -3;       // S
inline constexpr std::int64_t heads_of_model = -4;    // H

struct Range {
  double lowest;
  double highest;
};
inline constexpr Range finite{-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};

struct DatasetEntry {
  std::string_view path;  // NN stands for the number of a layer
  Element element;
  Extent extent;                            // of offsets: of the sequences, and one row more
  std::array<std::int64_t, 2> row_shape{};  // of what one row holds; 0 ends it
  Present present = Present::always;
  Content content;
  // Of what is computed: what rows hold that were not, and between what the others are.
  double missing = std::numeric_limits<double>::quiet_NaN();
  Range range = finite;
  bool may_lack_values = false;  // the missing value occurs in rows that were computed too
  std::string_view unit = {};    // "" for what has none
  std::string_view help;

  [[nodiscard]] bool is_computed() const {
    return std::holds_alternative<Extra>(content) || std::holds_alternative<ResultField>(content);
  }
  [[nodiscard]] bool is_of_layer() const { return path.find("NN") != std::string_view::npos; }
  [[nodiscard]] bool is_offsets() const { return std::holds_alternative<Offsets>(content); }
  // "U, D", in the letters of shape_letters().
  [[nodiscard]] std::string shape_text() const;
  // How many elements a row holds in each dimension; `model_width` and the like stand for themselves.
  [[nodiscard]] std::vector<std::int64_t> sizes() const;
};

// What an attribute holds: a text of the run's, a number of the shard's, texts that belong to a layout, or what only
// the code that writes it knows.
using RunText = std::string FileAttributes::*;
using ShardNumber = std::int64_t ShardPart::*;
using LayoutTexts = std::vector<std::string> (*)(const ResultLayout&);
using AttributeContent = std::variant<std::monostate, RunText, ShardNumber, LayoutTexts>;

struct AttributeEntry {
  std::string_view object;  // "/" or a dataset's path; "strings" stands for every dataset of strings of varying length
  const char* name;
  std::string_view type;
  std::string_view shape;  // "" for a single value
  Present present;
  std::string_view help;
  AttributeContent content = {};
};

// What a letter of a shape stands for.
struct ShapeLetter {
  const char* letter;
  const char* meaning;
};

// In the order of the reference page, which is that of the file too.
[[nodiscard]] std::span<const DatasetEntry> dataset_table();
[[nodiscard]] std::span<const AttributeEntry> attribute_table();
[[nodiscard]] std::span<const ShapeLetter> shape_letters();

// The row of a dataset of a file; null for one that is not known.
[[nodiscard]] const DatasetEntry* find_dataset(std::string_view path);

// The tables as JSON for programs, and as the page docs/results-reference.md.
[[nodiscard]] std::string results_json();
[[nodiscard]] std::string results_markdown();

}  // namespace pleat::schema
