// The file formats, each turned into the same raw records; what their residues mean is decided later.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/record_code.h"
#include "sequence/input_file.h"
#include "sequence/line_reader.h"

namespace pleat {

struct RawRecord {
  std::string id;  // empty where the file gives none
  std::string description;
  std::string sequence;                    // as written, without line breaks; at most max_text_bytes + 1 of it
  std::int64_t numbers = 0;                // numbers at the ends of its lines, which `sequence` lacks
  std::optional<RecordCode> malformed_as;  // where the entry itself could not be read
  std::string malformed;                   // and why
};

// Gets each record in turn; it may move the strings out.
using RecordSink = std::function<void(RawRecord&)>;

// FASTA. Blank lines and lines that start with ';' are skipped, lines that start with '#' before the first header too;
// blanks at both ends of a sequence line, around '>' and a Ctrl-Z at the end are dropped, numbers by themselves at the
// ends of lines counted. Ctrl-A between headers, as in NCBI's nr, becomes " >" in the description. A record with a NUL
// in it is malformed, and so is the one in which the file breaks off, for which the sink is called before next()'s
// exception goes on. Throws Error(bad_input) for sequence text before the first header, and what LineReader::next()
// throws.
void read_fasta(LineReader& lines, const RecordSink& sink);

// A table: comment lines (#), perhaps a line `sep=;`, a header row that names the columns, rows. Known names, in upper
// or lower case and with blanks for '_', the first that is there being taken: id, name, entry, accession, header,
// protein, protein_id; sequence, seq, aa_sequence, protein_sequence; description. `input` may name others. The
// delimiter is the one of , ; tab | that makes these columns of the header. Quotes are those of RFC 4180, but for
// tables with tabs, where a quote is a character like any other unless the header row is quoted. Blanks around a value
// are dropped, and rows without any value are skipped. A row that cannot be read, or lacks its id or its sequence
// (nothing, or NA, N/A, null, none or nan without quotes), is a malformed record. Throws Error(bad_input) when a column
// is missing or named twice, and what LineReader::next() throws.
void read_table(LineReader& lines, const InputFile& input, const RecordSink& sink);

// Whether a line can be the header of a table with the columns that are needed.
[[nodiscard]] bool is_table_header(std::string_view line, const InputFile& input);

// What a file of that start holds: fasta, csv or tsv. Throws Error(bad_input) that quotes the offending line and names
// what it looks like, such as FASTQ, GenBank, PDB or a web page, with what to do about it.
[[nodiscard]] InputFormat recognise(std::string_view start, const InputFile& input);

// Throws the same Error where a file of that start is no text in UTF-8 at all, such as a workbook of a spreadsheet.
// `kind` is what it should hold: "sequences".
void refuse_binary(std::string_view start, const InputFile& input, std::string_view kind);

}  // namespace pleat
