// From inputs to a Dataset: FASTA and tables with a header row, plain or compressed with gzip, zstd, xz or bzip2.
// Format and compression go by the content, whatever the name.
//
// Residues (policy.residues):
//   convert  upper-cases, drops one `*` at the end of each chain, and turns letters outside the alphabet into X with
//            a note on the record that counts them. Lower case and a final `*` alone get no note. White space inside a
//            sequence and numbers at the starts of its lines are left out, with a note.
//   strict   changes nothing: all of these reject the record.
// Gaps, other digits and all other characters always reject the record, and a '>' as the sign of a lost header. ':'
// separates chains; a chain without residues rejects the record. Positions in messages count from 1 in the sequence as
// written, line breaks left out and ':' counted.
//
// The formats are described in formats.h. The id of FASTA is the header up to the first blank, the rest is the
// description; ids of tables may hold blanks. A record without an id is called unnamed_N, N being its number in its
// file from 1. An id or description that is not UTF-8 is read as Windows-1252; control characters but tabs become
// U+FFFD. Either gives a note.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/stop.h"
#include "sequence/dataset.h"
#include "sequence/input_file.h"

namespace pleat {

// policy.nucleotides: what becomes of sequences that look like DNA or RNA.
enum class NucleotidePolicy : std::uint8_t { warn, reject, ignore };

struct ReadOptions {
  // The letters the model knows, in upper case.
  std::string alphabet = "ACDEFGHIKLMNPQRSTVWYXBUZO";
  bool strict = false;          // policy.residues
  std::int64_t max_length = 0;  // policy.max_length: longer sequences are rejected; 0 = no limit
  NucleotidePolicy nucleotides = NucleotidePolicy::warn;
  bool share_duplicates = true;  // policy.duplicates: equal residues in equal chains become one row
  bool warn_of_repeated_ids = true;
  const StopToken* stop = nullptr;  // may be null
};

// Reads every input in turn. A bad record is recorded as rejected and reading goes on. So it does behind an input that
// is missing, not recognised or damaged, of which what can be trusted is taken: Dataset::inputs says what was wrong,
// and the record in which an input breaks off is rejected. Of compressed data whose checksum fails nothing is taken. An
// input without records is no fault and gives a warning. Throws Error(missing_input), with the reason of the first,
// where no input at all could be read, and Stopped.
[[nodiscard]] Dataset read_inputs(const std::vector<InputFile>& files, const ReadOptions& options);

// What inputs hold, without the residues: for plans of runs over more sequences than one wants in memory.
struct InputSurvey {
  std::int64_t records = 0;
  std::map<std::string, std::int64_t> rejected;  // how many records with each record_code
  std::map<std::string, std::int64_t> noted;     // accepted ones, likewise
  // Of each unique sequence, in no particular order.
  struct Size {
    std::int32_t length = 0;
    std::int32_t chains = 0;
  };
  std::vector<Size> sequences;
  std::vector<InputReport> inputs;
  std::vector<std::string> warnings;  // of inputs without records
};

// Reads, judges and throws as read_inputs() does. Equal sequences are found by a hash of 128 bits. Takes 24 bytes a
// record.
[[nodiscard]] InputSurvey survey_inputs(const std::vector<InputFile>& files, const ReadOptions& options);

}  // namespace pleat
