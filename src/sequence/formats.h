// The file formats, each turned into the same raw records; what their residues mean is decided later.
#pragma once

#include <functional>
#include <string>

#include "sequence/line_reader.h"

namespace pleat {

struct RawRecord {
  std::string id;  // empty where the file gives none
  std::string description;
  std::string sequence;   // as written, without line breaks; at most max_text_bytes + 1 of it
  std::string malformed;  // why the entry itself could not be read; empty for a good one
};

// Gets each record in turn; it may move the strings out.
using RecordSink = std::function<void(RawRecord&)>;

// FASTA: blank lines and lines that start with ';' are skipped, blanks at both ends of a sequence line are dropped.
// Throws Error(bad_input) for sequence text before the first header, and what LineReader::next() throws.
void read_fasta(LineReader& lines, const RecordSink& sink);

// RFC 4180 with a header row, which names the columns id, sequence and (optional) description in any order and
// case. Blanks around a value are dropped, and rows without any value are skipped. A row that cannot be read is a
// malformed record. Throws Error(bad_input) when a column is missing or named twice and when a quote is never
// closed, and what LineReader::next() throws.
void read_csv(LineReader& lines, char delimiter, const RecordSink& sink);

}  // namespace pleat
