#include <algorithm>
#include <optional>
#include <string_view>

#include "core/ascii.h"
#include "core/error.h"
#include "core/text.h"
#include "sequence/dataset.h"
#include "sequence/formats.h"
#include "sequence/text.h"

namespace pleat {
namespace {

constexpr char control_a = '\x01';
constexpr std::string_view control_z = "\x1A";

// What follows '>' where a line is a header. It may be indented, and files that were joined have a byte order mark
// there.
std::optional<std::string_view> header_in(std::string_view line) {
  if (!line.starts_with('>')) line = behind_white_space(line);
  if (!line.starts_with('>')) return std::nullopt;
  line = behind_white_space(line.substr(1));
  while (line.starts_with(control_a)) line = behind_white_space(line.substr(1));
  return trimmed(line);
}

// NCBI's tools print the headers of one sequence with " >" between them.
std::string joined_headers(std::string_view text) {
  std::string joined;
  for (const char c : text) {
    if (c == control_a) {
      joined += " >";
    } else {
      joined += c;
    }
  }
  return joined;
}

void start_record(std::string_view header, RawRecord& record) {
  const std::size_t blank = std::min(header.find_first_of(" \t\x01"), header.size());
  record.id = header.substr(0, blank);
  record.description = trimmed(joined_headers(header.substr(blank)));
  record.sequence.clear();
  record.numbers = 0;
  record.malformed_as = {};
  record.malformed.clear();
}

// Keeps one letter more than is allowed, which is enough to see that the sequence is too long.
void append_bounded(std::string& sequence, std::string_view text) {
  const std::size_t room = max_text_bytes + 1 - sequence.size();
  sequence += text.substr(0, room);
}

void reject(RawRecord& record, RecordCode code, const std::string& why) {
  if (record.malformed_as) return;
  record.malformed_as = code;
  record.malformed = why;
}

void reject_a_nul(const LineReader& lines, std::string_view line, RawRecord& record) {
  if (line.find('\0') == std::string_view::npos) return;
  reject(record, RecordCode::bad_residue, "line " + std::to_string(lines.line_number()) + " holds a NUL (byte 0x00)");
}

// Numbers that stand by themselves, before residues as in GenBank's "   61 mktay iakqr", behind them as in UniProt's
// flat files, or in lines of their own as on its pages.
std::string_view without_numbers(std::string_view text, std::int64_t& numbers) {
  while (!text.empty() && is_digit(text.front())) {
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    if (!std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), is_digit)) break;
    ++numbers;
    text = trimmed(text.substr(end));
  }
  while (!text.empty() && is_digit(text.back())) {
    const std::size_t start = text.find_last_of(" \t") + 1;  // 0 where there is no blank
    if (start == 0 || !std::all_of(text.begin() + static_cast<std::ptrdiff_t>(start), text.end(), is_digit)) break;
    ++numbers;
    text = trimmed(text.substr(0, start));
  }
  return text;
}

}  // namespace

void read_fasta(LineReader& lines, const RecordSink& sink) {
  RawRecord record;
  bool in_record = false;
  try {
    while (const auto line = lines.next()) {
      if (const auto header = header_in(*line)) {
        if (in_record) sink(record);
        start_record(*header, record);
        in_record = true;
        reject_a_nul(lines, *line, record);
        continue;
      }
      const std::string_view text = trimmed(*line);
      if (text.empty() || text == control_z || line->starts_with(';')) continue;
      if (!in_record) {
        if (line->starts_with('#')) continue;
        throw Error(ErrorCode::bad_input,
                    quoted(lines.file()) + ", line " + std::to_string(lines.line_number()) +
                        ": text before the first header: " + quoted(text),
                    "a FASTA file starts with a line such as '>name'");
      }
      reject_a_nul(lines, text, record);
      append_bounded(record.sequence, without_numbers(text, record.numbers));
    }
  } catch (const BrokenInput&) {
    reject(record, RecordCode::cut_off, "the input breaks off in this record");
    if (in_record) sink(record);
    throw;
  }
  if (!in_record) return;
  if (record.sequence.ends_with(control_z)) record.sequence.pop_back();
  sink(record);
}

}  // namespace pleat
