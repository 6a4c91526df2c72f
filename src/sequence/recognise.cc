// What a file holds, by its first lines.
#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>

#include "core/ascii.h"
#include "core/error.h"
#include "core/text.h"
#include "sequence/formats.h"
#include "sequence/table_rows.h"
#include "sequence/text.h"

namespace pleat {
namespace {

using namespace std::string_view_literals;

struct Looks {
  std::string_view start;  // of the file, or of its first line that is not empty
  std::string_view name;   // "it looks like ..."
  std::string_view hint;
};

constexpr std::string_view unpack_or_repack = "unpack it, or pack it with gzip, zstd, xz or bzip2";
constexpr std::string_view from_the_pdb = "give its sequences as FASTA; the PDB offers them for download";
constexpr std::string_view without_gaps = "give the sequences without gaps, as FASTA";
constexpr std::string_view unpack = "unpack it, and give the files in it";
constexpr std::string_view as_fasta = "convert it to FASTA first";
constexpr std::string_view from_uniprot = "download the entry as FASTA";
constexpr std::string_view save_as_text = "save it as CSV or as UTF-8 text";

constexpr std::array binary{
    Looks{"\xFF\xFE\0\0"sv, "UTF-32 text", "save it as UTF-8"},
    Looks{"\x1F\x8B", "data compressed twice", "unpack it once"},
    Looks{"\x04\x22\x4D\x18", "lz4", unpack_or_repack},
    Looks{"\x1F\x9D", "compress (.Z)", unpack_or_repack},
    Looks{"LZIP", "lzip", unpack_or_repack},
    Looks{"\x5D\0\0"sv, "LZMA without xz", unpack_or_repack},
    Looks{"SQLite format 3", "a database of SQLite", save_as_text},
    Looks{"\x93NUMPY", "an array of NumPy", "give the sequences themselves"},
    Looks{"PK\x03\x04", "a zip archive, or a workbook of a spreadsheet", "unpack it, or save the sheet as CSV"},
    Looks{"\x7f"
          "ELF",
          "a program", "give a file of sequences"},
    Looks{"\x89HDF", "an HDF5 file", "pleat export --format fasta writes the sequences of a result file"},
    Looks{"%PDF", "a PDF document", save_as_text},
    Looks{"\xD0\xCF\x11\xE0", "an old Office document", save_as_text},
    Looks{"Rar!", "a RAR archive", unpack},
    Looks{"7z\xBC\xAF", "a 7-Zip archive", unpack},
    Looks{"\xFF\xFE", "UTF-16 text", "save it as UTF-8"},
    Looks{"\xFE\xFF", "UTF-16 text", "save it as UTF-8"},
    Looks{"{\\rtf", "a document of a word processor", "save it as plain text"},
};

constexpr std::array texts{
    Looks{"<", "a web page or XML", "what was saved is perhaps an error message of the server; download it again"},
    Looks{"LOCUS ", "GenBank", "download the entry as FASTA, or convert it"},
    Looks{"ID   ", "an EMBL or UniProt flat file", from_uniprot},
    Looks{"HEADER ", "PDB", from_the_pdb},
    Looks{"ATOM  ", "PDB", from_the_pdb},
    Looks{"HETATM", "PDB", from_the_pdb},
    Looks{"CRYST1", "PDB", from_the_pdb},
    Looks{"REMARK", "PDB", from_the_pdb},
    Looks{"MODEL ", "PDB", from_the_pdb},
    Looks{"TITLE ", "PDB", from_the_pdb},
    Looks{"data_", "mmCIF", from_the_pdb},
    Looks{"# STOCKHOLM", "a Stockholm alignment", without_gaps},
    Looks{"CLUSTAL", "a Clustal alignment", without_gaps},
    Looks{"#NEXUS", "a NEXUS file", as_fasta},
    Looks{"MUSCLE (", "a Clustal alignment", without_gaps},
    Looks{"!!AA_MULT", "an MSF alignment", without_gaps},
    Looks{"PileUp", "an MSF alignment", without_gaps},
    Looks{"##gff", "GFF", as_fasta},
    Looks{"##fileformat=VCF", "VCF, variants of a genome", "give protein sequences, as FASTA"},
    Looks{"@HD\t", "SAM, aligned reads of a sequencer", "give protein sequences, as FASTA"},
    Looks{"@SQ\t", "SAM, aligned reads of a sequencer", "give protein sequences, as FASTA"},
    Looks{"HMMER", "a profile of HMMER", "give the sequences it was made from, as FASTA"},
    Looks{"BLAST", "a report of BLAST", "give the sequences themselves, as FASTA"},
    Looks{"Seq-entry", "ASN.1 of the NCBI", "download the entry as FASTA"},
    Looks{"loop_", "mmCIF", from_the_pdb},
    Looks{"&gt;", "FASTA that went through a web page", "write '>' for '&gt;'"},
    Looks{"version https://git-lfs", "a pointer of Git LFS, without its file", "fetch the file: git lfs pull"},
    Looks{"version:", "YAML, perhaps a manifest", "name the sequences in inputs"},
    Looks{"(", "a tree (Newick)", "give the sequences themselves, as FASTA"},
    Looks{"[", "JSON", as_fasta},
    Looks{"{", "JSON", as_fasta},
};

bool is_odd_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && (byte < '\t' || byte > '\r') && byte != 0x01 && byte != 0x1A) || byte == 0x7F;
}

// Text holds no such bytes, NULs among them; two or a few in a long text are blamed on their records.
bool has_many_controls(std::string_view start) {
  constexpr std::ptrdiff_t few = 2;
  constexpr std::size_t one_in = 50;
  const std::ptrdiff_t count = std::count_if(start.begin(), start.end(), is_odd_control);
  return count > few && static_cast<std::size_t>(count) * one_in > start.size();
}

// ASCII in UTF-16 without a byte order mark: every other byte is a NUL.
bool is_utf16(std::string_view start) {
  constexpr std::size_t enough = 8;
  if (start.size() < enough) return false;
  std::array<std::size_t, 2> nuls{};
  for (std::size_t i = 0; i < start.size(); ++i) nuls[i % 2] += start[i] == '\0' ? 1 : 0;
  const std::size_t half = start.size() / 2;
  return std::ranges::min(nuls) == 0 && std::ranges::max(nuls) * 10 > half * 9;
}

[[noreturn]] void refuse(const InputFile& input, std::string_view name, std::string_view hint, std::int64_t line_number,
                         std::string_view line) {
  throw Error(ErrorCode::bad_input,
              quoted(input.file) + ", line " + std::to_string(line_number) + ": " + quoted(line) + " looks like " +
                  std::string(name),
              std::string(hint));
}

[[noreturn]] void refuse_whole(const InputFile& input, std::string_view kind, std::string_view name,
                               std::string_view hint) {
  throw Error(ErrorCode::bad_input,
              quoted(input.file) + " is no file of " + std::string(kind) + ": it looks like " + std::string(name),
              std::string(hint));
}

// A line and what follows it.
struct Line {
  std::string_view text;
  std::string_view rest;
};

Line first_line(std::string_view text) {
  const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
  std::size_t next = end;
  if (next < text.size()) next += text.substr(next).starts_with("\r\n") ? 2 : 1;
  return {text.substr(0, end), text.substr(next)};
}

// "#7<tab>1", with which ColabFold's a3m files begin.
bool is_a3m_head(std::string_view line) {
  const std::size_t tab = line.find('\t');
  if (!line.starts_with('#') || tab == std::string_view::npos || tab < 2) return false;
  return line.substr(1).find_first_not_of("0123456789,\t") == std::string_view::npos;
}

// ">P1;CRAB_ANAPL", in which a title follows that would be taken for residues.
bool is_pir_head(std::string_view line) {
  constexpr std::size_t code_bytes = 2;
  static constexpr std::array<std::string_view, 9> codes{"P1", "F1", "DL", "DC", "RL", "RC", "N1", "N3", "XX"};
  return line.size() > code_bytes + 1 && line[code_bytes + 1] == ';' &&
         std::ranges::find(codes, line.substr(1, code_bytes)) != codes.end();
}

// " 5 42", the counts of rows and columns.
bool is_phylip_head(std::string_view line) {
  const std::string_view text = trimmed(line);
  const std::size_t blank = text.find(' ');
  return blank != std::string_view::npos && text.find_first_not_of("0123456789 ") == std::string_view::npos;
}

bool is_bare_sequence(std::string_view line) {
  constexpr std::size_t shortest = 10;
  return line.size() >= shortest && std::ranges::all_of(line, [](char c) { return is_letter(c) || c == '*'; });
}

bool is_fastq(const Line& line) {
  if (!line.text.starts_with('@')) return false;
  const Line second = first_line(line.rest);
  return first_line(second.rest).text.starts_with('+');
}

void refuse_known_text(const Line& line, const InputFile& input, std::int64_t number) {
  const std::string_view text = behind_white_space(line.text);
  if (is_a3m_head(text)) {
    refuse(input, "an a3m alignment of ColabFold", "give the sequences themselves, without gaps, as FASTA", number,
           text);
  }
  if (is_phylip_head(text)) refuse(input, "a PHYLIP alignment", without_gaps, number, text);
  if (is_bare_sequence(text)) {
    refuse(input, "a sequence without its header", "put a line such as '>name' before each sequence", number, text);
  }
  if (is_fastq(line)) refuse(input, "FASTQ, reads of a sequencer", "give protein sequences, as FASTA", number, text);
  for (const Looks& looks : texts) {
    if (text.starts_with(looks.start)) refuse(input, looks.name, looks.hint, number, text);
  }
}

}  // namespace

void refuse_binary(std::string_view start, const InputFile& input, std::string_view kind) {
  for (const Looks& looks : binary) {
    if (start.starts_with(looks.start)) refuse_whole(input, kind, looks.name, looks.hint);
  }
  constexpr std::size_t tar_magic = 257;
  if (start.size() > tar_magic && start.substr(tar_magic).starts_with("ustar")) {
    refuse_whole(input, kind, "a tar archive", unpack);
  }
  if (is_utf16(start)) refuse_whole(input, kind, "UTF-16 text", "save it as UTF-8");
  if (has_many_controls(start)) refuse_whole(input, kind, "binary data", "give a text file, in UTF-8");
}

InputFormat recognise(std::string_view start, const InputFile& input) {
  refuse_binary(start, input, "sequences");
  if (start.starts_with("\xEF\xBB\xBF")) start.remove_prefix(3);
  std::int64_t number = 0;
  while (!start.empty()) {
    const Line line = first_line(start);
    start = line.rest;
    ++number;
    const std::string_view text = behind_white_space(trimmed(line.text));
    if (text.empty() || text == "\x1A" || text.starts_with(';')) continue;
    if (is_pir_head(text)) refuse(input, "PIR (NBRF)", as_fasta, number, text);
    if (text.starts_with('>')) return InputFormat::fasta;
    if (is_separator_line(text) || is_table_header(line.text, input)) return InputFormat::csv;
    refuse_known_text(line, input, number);
    if (text.starts_with('#')) continue;
    const bool may_be_table = text.find_first_of(",;\t|") != std::string_view::npos;
    if (may_be_table) return InputFormat::csv;  // whose reader says which columns are missing
    throw Error(ErrorCode::bad_input,
                quoted(input.file) + ", line " + std::to_string(number) + ": " + quoted(text) +
                    " is neither a FASTA header nor the header of a table with the columns id and sequence",
                "a FASTA file starts with a line such as '>name', a table with one such as 'id,sequence'");
  }
  return InputFormat::fasta;  // nothing at all
}

}  // namespace pleat
