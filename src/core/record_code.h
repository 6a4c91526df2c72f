// Why a record has no results, or what is to be said about it: the words of /records/error_code.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pleat {

// Their words are promises to users' scripts. A file may hold others, of a newer pleat.
enum class RecordCode : std::uint8_t {
  bad_residue,
  bad_row,
  empty_chain,
  empty_sequence,
  too_long,
  too_many_chains,
  missing_value,
  lost_header,
  cut_off,
  nucleotides,
  unknown_part,
  ambiguous_part,
  bad_variant,
  out_of_range,
  wrong_wild_type,
  unknown_id,
  ambiguous_id,
  refused_record,
  does_not_fit,
  out_of_memory,
  compute_failed,
  device_lost,
  not_finite,
  float16_overflow,
  not_computed,
  suspicious_structure,
  no_structure_file,
  computed_in_float32,
  residues_converted,
  sequence_cleaned,
  id_changed,
  description_changed,
};

struct RecordCodeEntry {
  RecordCode code;
  std::string_view word;
  std::string_view status;  // of records that have it
  std::string_view help;
  std::string_view remedy;  // what to do about it; empty where nothing need be done
};

// In the order of the enumeration.
inline constexpr std::array record_codes{
    RecordCodeEntry{RecordCode::bad_residue, "bad_residue", "rejected",
                    "A character that cannot be used, such as a digit or a gap.",
                    "Clean the input: gaps, digits and other characters are no residues. Chains are divided by `:`."},
    RecordCodeEntry{RecordCode::bad_row, "bad_row", "rejected", "A row that does not fit the table's header.",
                    "Look at that line: a value may be missing, or hold the delimiter without quotes."},
    RecordCodeEntry{RecordCode::empty_chain, "empty_chain", "rejected", "A chain without residues, such as in `A::B`.",
                    "Take out the colon that has nothing on one side."},
    RecordCodeEntry{RecordCode::empty_sequence, "empty_sequence", "rejected", "No residues at all.",
                    "Give the record a sequence, or leave it out."},
    RecordCodeEntry{RecordCode::too_long, "too_long", "rejected", "More residues than `policy.max_length`.",
                    "Raise `policy.max_length`, or cut the protein into domains."},
    RecordCodeEntry{RecordCode::too_many_chains, "too_many_chains", "rejected", "More than 65,535 chains.",
                    "Divide the complex."},
    RecordCodeEntry{RecordCode::missing_value, "missing_value", "rejected", "A row without an id or a sequence.",
                    "Fill in what is missing; `NA`, `null` and the like count as nothing unless they are quoted."},
    RecordCodeEntry{RecordCode::lost_header, "lost_header", "rejected", "A `>` inside a line of the sequence.",
                    "Put the `>` at the start of a line of its own: two records ran into each other."},
    RecordCodeEntry{RecordCode::cut_off, "cut_off", "rejected", "The input breaks off in the record.",
                    "Copy or download the input again, or close the quote."},
    RecordCodeEntry{RecordCode::nucleotides, "nucleotides", "rejected or ok",
                    "It looks like DNA or RNA; `policy.nucleotides` says what becomes of it.",
                    "Translate DNA or RNA first, or set `policy.nucleotides: ignore`."},
    RecordCodeEntry{
        RecordCode::unknown_part, "unknown_part", "rejected", "A pair names a record that is not there.",
        "Write the record's id as it stands in the inputs: it ends at the first blank, and capitals count."},
    RecordCodeEntry{RecordCode::ambiguous_part, "ambiguous_part", "rejected",
                    "A pair names a record, and several have that name.",
                    "Give each record of the inputs an id of its own."},
    RecordCodeEntry{
        RecordCode::bad_variant, "bad_variant", "refused variant",
        "It is not written as `A12V`, replaces by what is no amino acid, or replaces a residue twice.",
        "Write `A12V`, or several with `:` between them, with one of the 20 amino acids at the end of each."},
    RecordCodeEntry{RecordCode::out_of_range, "out_of_range", "refused variant",
                    "The sequence has no residue of that number.",
                    "Count residues from 1, through all chains, in the sequence as it was given."},
    RecordCodeEntry{
        RecordCode::wrong_wild_type, "wrong_wild_type", "refused variant",
        "Another residue than the variant says is there.",
        "Look for a signal peptide, a tag or another isoform: residues are counted from 1, through all chains."},
    RecordCodeEntry{RecordCode::unknown_id, "unknown_id", "refused variant", "No record has the id.",
                    "Write the record's id as it stands in the inputs."},
    RecordCodeEntry{RecordCode::ambiguous_id, "ambiguous_id", "refused variant",
                    "Records with different sequences have the id.",
                    "Give each record of the inputs an id of its own."},
    RecordCodeEntry{RecordCode::refused_record, "refused_record", "refused variant", "The id's record was rejected.",
                    "Mend that record first."},
    RecordCodeEntry{RecordCode::does_not_fit, "does_not_fit", "rejected or failed",
                    "It needs more memory than the machine of the run has.",
                    "Run it on a machine with more memory; the message says which length would fit, `pleat plan` how "
                    "much it needs."},
    RecordCodeEntry{RecordCode::out_of_memory, "out_of_memory", "failed",
                    "Memory ran out, even alone and in the smallest chunks.",
                    "Run it again with more memory; the same command resumes it."},
    RecordCodeEntry{RecordCode::compute_failed, "compute_failed", "failed",
                    "The computation failed in a way that the message tells.", "Please report it."},
    RecordCodeEntry{RecordCode::device_lost, "device_lost", "failed", "Devices were lost while they computed it.",
                    "Look at the device with `pleat doctor`, and compute the record by itself."},
    RecordCodeEntry{RecordCode::not_finite, "not_finite", "failed", "The results hold NaN or infinity.",
                    "Try `run.precision: fp32`; if that does not help, check the weights with `pleat model verify`."},
    RecordCodeEntry{RecordCode::float16_overflow, "float16_overflow", "failed",
                    "A value is too large for float16, in which it was to be stored.",
                    "Store float32: `dtype: float32` in the task."},
    RecordCodeEntry{RecordCode::not_computed, "not_computed", "failed", "The run ended before.",
                    "Its shard was not run or not merged: run it, and merge again."},
    RecordCodeEntry{RecordCode::suspicious_structure, "suspicious_structure", "ok",
                    "The structure looks wrong; the message says how.", "Look at it before you use it."},
    RecordCodeEntry{RecordCode::no_structure_file, "no_structure_file", "ok",
                    "Its structure could not be written as PDB or mmCIF.", "Take mmCIF, which holds more than PDB."},
    RecordCodeEntry{RecordCode::computed_in_float32,
                    "computed_in_float32",
                    "ok",
                    "The run's precision gave NaN or infinity, so it was computed again in float32.",
                    {}},
    RecordCodeEntry{RecordCode::residues_converted,
                    "residues_converted",
                    "ok",
                    "Letters outside the model's alphabet became X.",
                    {}},
    RecordCodeEntry{
        RecordCode::sequence_cleaned, "sequence_cleaned", "ok", "White space and numbers of lines were left out.", {}},
    RecordCodeEntry{RecordCode::id_changed, "id_changed", "ok", "The id was given, or made valid UTF-8.", {}},
    RecordCodeEntry{
        RecordCode::description_changed, "description_changed", "ok", "The description was made valid UTF-8.", {}},
};

[[nodiscard]] constexpr std::string_view word_of(RecordCode code) {
  return record_codes[static_cast<std::size_t>(code)].word;
}

// The remedy of a word, which may come from a file of a newer pleat.
[[nodiscard]] constexpr std::string_view remedy_of(std::string_view word) {
  for (const RecordCodeEntry& entry : record_codes) {
    if (entry.word == word && !entry.remedy.empty()) return entry.remedy;
  }
  return "The message says more.";
}

// Also a word is compared with a code: of records, which may come from a file.
[[nodiscard]] constexpr bool operator==(std::string_view word, RecordCode code) { return word == word_of(code); }

// Each entry stands where its code says.
static_assert([] {
  for (std::size_t i = 0; i < record_codes.size(); ++i) {
    if (record_codes[i].code != static_cast<RecordCode>(i)) return false;
  }
  return record_codes.back().code == RecordCode::description_changed;
}());

}  // namespace pleat
