// From input files to a Dataset: FASTA (.fasta .fa .faa) and CSV/TSV with a header, plain or gzip, streamed.
//
// Residues (policy.residues):
//   convert  upper-cases, drops one `*` at the end of each chain, and turns letters outside the alphabet into X with
//            a note on the record that counts them. Lower case and a final `*` alone get no note.
//   strict   changes nothing: a lower-case letter, a `*` or a letter outside the alphabet rejects the record.
// Gaps, digits, blanks inside a line and all other characters always reject the record. ':' separates chains; a
// chain without residues rejects the record. Positions in messages count from 1 in the sequence as written, line
// breaks left out and ':' counted.
//
// FASTA: lines end in LF, CR LF or CR; blank lines and lines that start with ';' are skipped. The id is the header
// up to the first blank, the rest is the description.
// CSV and TSV: RFC 4180. The header row names the columns id, sequence and (optional) description, in any order and
// case; others are ignored. Ids may hold blanks.
// Both: a record without an id is called unnamed_N, N being its number in its file from 1. Bytes of an id or
// description that are not UTF-8, and control characters but tabs, become U+FFFD. Either gives a note.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "sequence/dataset.h"

namespace pleat {

struct ReadOptions {
  // The letters the model knows, in upper case.
  std::string alphabet = "ACDEFGHIKLMNPQRSTVWYXBUZO";
  bool strict = false;           // policy.residues
  std::int64_t max_length = 0;   // policy.max_length: longer sequences are rejected; 0 = no limit
  bool share_duplicates = true;  // policy.duplicates: equal residues in equal chains become one row
};

// Reads every file in turn. A bad record is recorded as rejected and reading goes on.
// Throws Error(missing_input) when a file is not there, is a folder or cannot be read, and Error(bad_input) when a
// file as a whole is not what its name says (an unknown extension, binary data, broken or cut gzip, text before the
// first header, a CSV without the columns id and sequence or with a quote never closed, a line over 64 MiB) or holds
// no record at all. All names are checked before the first file is read.
[[nodiscard]] Dataset read_inputs(const std::vector<std::filesystem::path>& files, const ReadOptions& options);

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
};

// Reads, judges and throws as read_inputs() does. Equal sequences are found by a hash of 128 bits. Takes 24 bytes a
// record.
[[nodiscard]] InputSurvey survey_inputs(const std::vector<std::filesystem::path>& files, const ReadOptions& options);

}  // namespace pleat
