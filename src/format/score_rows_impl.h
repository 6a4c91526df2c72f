// The rows of the table for /scores.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "format/schema.h"
#include "format/schema_table.h"
#include "sequence/residues.h"

namespace pleat::schema::rows {

inline std::span<const std::byte> table_rows(const SequenceTable& sequences, std::vector<std::byte>& scratch) {
  std::vector<std::int64_t> rows;
  for (std::int64_t row = 0; row < sequences.size(); ++row) {
    for (const SequenceVariant& variant : sequences.variants(row)) rows.push_back(variant.table_row);
  }
  const std::span<const std::byte> bytes = std::as_bytes(std::span(rows));
  scratch.assign(bytes.begin(), bytes.end());
  return scratch;
}

constexpr DatasetEntry of_variant_table(std::string_view path, VariantText text, std::string_view help) {
  return {.path = path,
          .element = Element::text,
          .extent = Extent::variant_row,
          .present = Present::with_variants,
          .content = text,
          .help = help};
}

inline constexpr std::array scores{
    DatasetEntry{.path = pseudo_perplexity,
                 .element = Element::float32,
                 .extent = Extent::sequence,
                 .present = Present::with_scores,
                 .content = Extra{},
                 .range = {1, 1e38},
                 .help = "exp of the mean of -log_probability over the residues: 1 where the model is sure of each."},
    DatasetEntry{.path = log_probability,
                 .element = Element::float32,
                 .extent = Extent::residue,
                 .present = Present::with_scores,
                 .content = Extra{},
                 .range = {-1e6, 0},
                 .unit = "natural logarithm",
                 .help = "How probable the model finds the residue that is there, among all its tokens."},
    DatasetEntry{.path = substitution_scores,
                 .element = Element::float32,
                 .extent = Extent::residue,
                 .row_shape = {std::ssize(residues::amino_acids)},
                 .present = Present::with_substitutions,
                 .content = Extra{},
                 .unit = "natural logarithm",
                 .help = "Score of each amino acid in the place of the residue, by `tasks.scoring.method`; 0 for the "
                         "one that is there. The attribute `alphabet` names the columns."},
    DatasetEntry{.path = variant_score,
                 .element = Element::float32,
                 .extent = Extent::variant,
                 .present = Present::with_variants,
                 .content = Extra{},
                 .unit = "natural logarithm",
                 .help = "Score of a variant by `tasks.scoring.method`; above 0 where the model prefers it."},
    DatasetEntry{.path = variant_row,
                 .element = Element::int64,
                 .extent = Extent::variant,
                 .present = Present::with_variants,
                 .content = OfSequences(table_rows),
                 .unit = "row of /scores/table",
                 .help = "Which variant it is."},
    DatasetEntry{.path = variant_offsets,
                 .element = Element::int64,
                 .extent = Extent::sequence,
                 .present = Present::with_variants,
                 .content = Offsets{Extent::variant},
                 .unit = "variants",
                 .help = "The variants of row u are [offsets[u], offsets[u + 1])."},
    of_variant_table(variant_table_id, &VariantRow::id, "The id of a record."),
    of_variant_table(variant_table_text, &VariantRow::variant, "The variant, as it was written."),
    of_variant_table(variant_table_code, &VariantRow::error_code,
                     "Why it is not scored, as a word for programs; empty where it is."),
    of_variant_table(variant_table_message, &VariantRow::message, "Why, as a sentence for people."),
};

}  // namespace pleat::schema::rows
