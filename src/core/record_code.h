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
};

// In the order of the enumeration.
inline constexpr std::array record_codes{
    RecordCodeEntry{RecordCode::bad_residue, "bad_residue", "rejected",
                    "A character that cannot be used, such as a digit or a gap."},
    RecordCodeEntry{RecordCode::bad_row, "bad_row", "rejected", "A row that does not fit the table's header."},
    RecordCodeEntry{RecordCode::empty_chain, "empty_chain", "rejected", "A chain without residues, such as in `A::B`."},
    RecordCodeEntry{RecordCode::empty_sequence, "empty_sequence", "rejected", "No residues at all."},
    RecordCodeEntry{RecordCode::too_long, "too_long", "rejected", "More residues than `policy.max_length`."},
    RecordCodeEntry{RecordCode::too_many_chains, "too_many_chains", "rejected", "More than 65,535 chains."},
    RecordCodeEntry{RecordCode::missing_value, "missing_value", "rejected", "A row without an id or a sequence."},
    RecordCodeEntry{RecordCode::lost_header, "lost_header", "rejected", "A `>` inside a line of the sequence."},
    RecordCodeEntry{RecordCode::cut_off, "cut_off", "rejected", "The input breaks off in the record."},
    RecordCodeEntry{RecordCode::nucleotides, "nucleotides", "rejected or ok",
                    "It looks like DNA or RNA; `policy.nucleotides` says what becomes of it."},
    RecordCodeEntry{RecordCode::unknown_part, "unknown_part", "rejected", "A pair names a record that is not there."},
    RecordCodeEntry{RecordCode::ambiguous_part, "ambiguous_part", "rejected",
                    "A pair names a record, and several have that name."},
    RecordCodeEntry{RecordCode::bad_variant, "bad_variant", "refused variant",
                    "It is not written as `A12V`, replaces by what is no amino acid, or replaces a residue twice."},
    RecordCodeEntry{RecordCode::out_of_range, "out_of_range", "refused variant",
                    "The sequence has no residue of that number."},
    RecordCodeEntry{RecordCode::wrong_wild_type, "wrong_wild_type", "refused variant",
                    "Another residue than the variant says is there."},
    RecordCodeEntry{RecordCode::unknown_id, "unknown_id", "refused variant", "No record has the id."},
    RecordCodeEntry{RecordCode::ambiguous_id, "ambiguous_id", "refused variant",
                    "Records with different sequences have the id."},
    RecordCodeEntry{RecordCode::refused_record, "refused_record", "refused variant", "The id's record was rejected."},
    RecordCodeEntry{RecordCode::does_not_fit, "does_not_fit", "rejected or failed",
                    "It needs more memory than the machine of the run has."},
    RecordCodeEntry{RecordCode::out_of_memory, "out_of_memory", "failed",
                    "Memory ran out, even alone and in the smallest chunks."},
    RecordCodeEntry{RecordCode::compute_failed, "compute_failed", "failed",
                    "The computation failed in a way that the message tells."},
    RecordCodeEntry{RecordCode::device_lost, "device_lost", "failed", "Devices were lost while they computed it."},
    RecordCodeEntry{RecordCode::not_finite, "not_finite", "failed", "The results hold NaN or infinity."},
    RecordCodeEntry{RecordCode::float16_overflow, "float16_overflow", "failed",
                    "A value is too large for float16, in which it was to be stored."},
    RecordCodeEntry{RecordCode::not_computed, "not_computed", "failed", "The run ended before."},
    RecordCodeEntry{RecordCode::suspicious_structure, "suspicious_structure", "ok",
                    "The structure looks wrong; the message says how."},
    RecordCodeEntry{RecordCode::no_structure_file, "no_structure_file", "ok",
                    "Its structure could not be written as PDB or mmCIF."},
    RecordCodeEntry{RecordCode::computed_in_float32, "computed_in_float32", "ok",
                    "The run's precision gave NaN or infinity, so it was computed again in float32."},
    RecordCodeEntry{RecordCode::residues_converted, "residues_converted", "ok",
                    "Letters outside the model's alphabet became X."},
    RecordCodeEntry{RecordCode::sequence_cleaned, "sequence_cleaned", "ok",
                    "White space and numbers of lines were left out."},
    RecordCodeEntry{RecordCode::id_changed, "id_changed", "ok", "The id was given, or made valid UTF-8."},
    RecordCodeEntry{RecordCode::description_changed, "description_changed", "ok",
                    "The description was made valid UTF-8."},
};

[[nodiscard]] constexpr std::string_view word_of(RecordCode code) {
  return record_codes[static_cast<std::size_t>(code)].word;
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
