#include "sequence/variants.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <variant>

#include "core/ascii.h"
#include "core/error.h"
#include "core/printable.h"
#include "core/sha256.h"
#include "core/text.h"
#include "sequence/formats.h"
#include "sequence/line_reader.h"
#include "sequence/residues.h"
#include "sequence/side_table.h"
#include "sequence/text.h"

namespace pleat {
namespace {

constexpr char separator = ':';

struct Refusal {
  RecordCode code;
  std::string why;
};

// "'A12V': ..."
Refusal refusal(RecordCode code, std::string_view substitution, const std::string& why) {
  return {code, "'" + printable(substitution, 80) + "': " + why};
}

// The number in "A12V", or nothing. One that is too large for any sequence stays the largest.
std::optional<std::int64_t> number_in(std::string_view text) {
  constexpr std::size_t shortest = 3;
  if (text.size() < shortest || !is_letter(text.front()) || !is_letter(text.back())) return std::nullopt;
  const std::string_view digits = text.substr(1, text.size() - 2);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error == std::errc::result_out_of_range) number = std::numeric_limits<std::int64_t>::max();
  const bool is_number =
      error != std::errc::invalid_argument && end == digits.data() + digits.size() && digits.front() != '-';
  return is_number ? std::optional(number) : std::nullopt;
}

std::variant<Substitution, Refusal> parse_substitution(std::string_view text, std::string_view residues) {
  const std::optional<std::int64_t> number = number_in(text);
  if (!number) {
    return refusal(RecordCode::bad_variant, text, "it is not a letter, a number and a letter, such as A12V");
  }
  const char before = to_upper(text.front());
  const char after = to_upper(text.back());
  if (residues::amino_acids.find(after) == std::string_view::npos) {
    return refusal(RecordCode::bad_variant, text,
                   "'" + printable(text.substr(text.size() - 1)) + "' is none of the 20 amino acids");
  }
  if (*number < 1 || *number > std::ssize(residues)) {
    return refusal(RecordCode::out_of_range, text, "the sequence has residues 1 to " + std::to_string(residues.size()));
  }
  const char there = residues[static_cast<std::size_t>(*number - 1)];
  if (before != there) {
    return refusal(RecordCode::wrong_wild_type, text,
                   "residue " + std::to_string(*number) + " is " + std::string(1, there));
  }
  return Substitution{*number - 1, after};
}

// The sequence of the records of each id.
class Ids {
 public:
  explicit Ids(const Dataset& dataset) {
    for (const Record& record : dataset.records) {
      const auto [known, is_new] = sequences_.emplace(record.id, record.sequence);
      if (is_new || record.sequence == refused || are_equal(dataset.sequences, known->second, record.sequence))
        continue;
      known->second = known->second == refused ? record.sequence : ambiguous;
    }
  }

  [[nodiscard]] std::variant<std::int64_t, Refusal> sequence_of(const std::string& id) const {
    const auto found = sequences_.find(id);
    if (found == sequences_.end()) return Refusal{RecordCode::unknown_id, "no record has this id"};
    if (found->second == refused) return Refusal{RecordCode::refused_record, "the record of this id was rejected"};
    if (found->second == ambiguous) {
      return Refusal{RecordCode::ambiguous_id, "records with different sequences have this id"};
    }
    return found->second;
  }

 private:
  static constexpr std::int64_t refused = -1;
  static constexpr std::int64_t ambiguous = -2;

  // Equal sequences have rows of their own where policy.duplicates is separate.
  static bool are_equal(const SequenceTable& sequences, std::int64_t a, std::int64_t b) {
    if (a < 0 || a == b) return a == b;
    return sequences.residues(a) == sequences.residues(b) && std::ranges::equal(sequences.chain(a), sequences.chain(b));
  }

  std::unordered_map<std::string, std::int64_t> sequences_;
};

void refuse(const Refusal& refusal, VariantRow& row) {
  row.error_code = word_of(refusal.code);
  row.message = refusal.why;
}

void add_to_hash(const VariantTable& table, Dataset& dataset) {
  Sha256 hash;
  const auto add = [&hash](const std::string& text) { hash.update(std::string_view(text.c_str(), text.size() + 1)); };
  add(dataset.sha256);
  for (const VariantRow& row : table.rows) {
    add(row.id);
    add(row.variant);
    add(row.error_code);
  }
  dataset.sha256 = hash.finish();
}

}  // namespace

ParsedVariant parse_variant(std::string_view text, std::string_view residues) {
  ParsedVariant parsed;
  while (true) {
    const std::size_t end = std::min(text.find(separator), text.size());
    const std::string_view part = trimmed(text.substr(0, end));
    const auto found = parse_substitution(part, residues);
    const auto refuse_with = [&](const Refusal& refusal) { return ParsedVariant{{}, refusal.code, refusal.why}; };
    if (const auto* const refused = std::get_if<Refusal>(&found)) return refuse_with(*refused);
    const Substitution& substitution = std::get<Substitution>(found);
    if (std::ranges::count(parsed.substitutions, substitution.residue, &Substitution::residue) > 0) {
      return refuse_with(refusal(RecordCode::bad_variant, part, "the variant replaces this residue twice"));
    }
    parsed.substitutions.push_back(substitution);
    if (end == text.size()) return parsed;
    text.remove_prefix(end + 1);
  }
}

VariantTable read_variants(const std::filesystem::path& file, const StopToken* stop) {
  VariantTable table;
  InputFile input(file);
  input.sequence_column = "variants";
  const auto read_rows = [&](LineReader& lines, std::int64_t& count) {
    read_table(lines, input, [&](RawRecord& raw) {
      ++count;
      VariantRow row{readable(std::move(raw.id)), readable(std::move(raw.sequence))};
      if (raw.malformed_as == RecordCode::missing_value) {
        refuse({RecordCode::missing_value,
                "line " + std::to_string(lines.line_number()) + ": the row has no id or no variant"},
               row);
      } else if (raw.malformed_as) {
        refuse({*raw.malformed_as, raw.malformed}, row);
      }
      table.rows.push_back(std::move(row));
    });
  };
  // A table of sequences lacks other columns, and has other advice.
  const auto read = [&](LineReader& lines, std::int64_t& count) {
    try {
      read_rows(lines, count);
    } catch (const BrokenInput&) {
      throw;
    } catch (const Error& error) {
      throw Error(error.code(), error.what(),
                  "a table of variants has a header row with the columns id and variants, and rows such as p53,R175H");
    }
  };
  try {
    table.input = read_side_table(file, "variant", stop, read);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::missing_input) throw;
    throw Error(ErrorCode::missing_input, std::string("tasks.scoring.variants: ") + error.what(), error.hint());
  }
  return table;
}

const VariantTable& assign_variants(VariantTable table, Dataset& dataset) {
  const Ids ids(dataset);
  std::vector<std::vector<SequenceVariant>> of_sequences(static_cast<std::size_t>(dataset.sequences.size()));
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    VariantRow& row = table.rows[i];
    if (!row.error_code.empty()) continue;
    const auto found = ids.sequence_of(row.id);
    if (const auto* const refused = std::get_if<Refusal>(&found)) {
      refuse(*refused, row);
      continue;
    }
    const std::int64_t sequence = std::get<std::int64_t>(found);
    const ParsedVariant parsed = parse_variant(row.variant, dataset.sequences.residues(sequence));
    if (parsed.refused_as) {
      refuse({*parsed.refused_as, parsed.why}, row);
    } else {
      of_sequences[static_cast<std::size_t>(sequence)].push_back({static_cast<std::int64_t>(i), row.variant});
    }
  }
  dataset.inputs.push_back(std::move(table.input));
  dataset.sequences.set_variants(std::move(of_sequences));
  add_to_hash(table, dataset);
  return dataset.variants.emplace(std::move(table));
}

}  // namespace pleat
