// From a table of variants to what is to be scored of each sequence.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/record_code.h"
#include "core/stop.h"
#include "sequence/dataset.h"

namespace pleat {

struct Substitution {
  std::int64_t residue = 0;  // from 0, through all chains
  char letter = 0;
};

struct ParsedVariant {
  std::vector<Substitution> substitutions;
  std::optional<RecordCode> refused_as = {};  // where the variant does not fit the sequence
  std::string why = {};
};

// "A12V", or several of them joined by ':': the letter that is there, its number from 1 through all chains of the
// sequence, and the amino acid that takes its place. Letters in lower case are those in upper case.
[[nodiscard]] ParsedVariant parse_variant(std::string_view text, std::string_view residues);

// A table with the columns id and variants, as tables of sequences are read. A row that cannot be read is refused, and
// so is the one in which the table breaks off. Throws as read_side_table() does.
[[nodiscard]] VariantTable read_variants(const std::filesystem::path& file, const StopToken* stop = nullptr);

// Gives each row to the sequence of the record of its id, and refuses those that no record has, that records with
// different sequences share, whose record was refused, or that do not fit the sequence. The dataset keeps the table,
// also as one of its inputs, and its hash tells of it. Returns it as the dataset has it.
const VariantTable& assign_variants(VariantTable table, Dataset& dataset);

}  // namespace pleat
