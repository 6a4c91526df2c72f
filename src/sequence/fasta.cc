#include <algorithm>
#include <string_view>

#include "core/error.h"
#include "core/text.h"
#include "sequence/dataset.h"
#include "sequence/formats.h"
#include "sequence/text.h"

namespace pleat {
namespace {

constexpr char control_a = '\x01';
constexpr std::string_view control_z = "\x1A";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

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
  header = trimmed(header);
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

void reject(RawRecord& record, std::string_view code, const std::string& why) {
  if (!record.malformed_as.empty()) return;
  record.malformed_as = code;
  record.malformed = why;
}

void reject_a_nul(const LineReader& lines, std::string_view line, RawRecord& record) {
  if (line.find('\0') == std::string_view::npos) return;
  reject(record, record_code::bad_residue, "line " + std::to_string(lines.line_number()) + " holds a NUL (byte 0x00)");
}

void append_line(std::string_view text, RawRecord& record) {
  // As in GenBank's "   61 mktay iakqr".
  const std::size_t number = std::min(
      static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin()), text.size());
  if (number > 0 && number < text.size() && (text[number] == ' ' || text[number] == '\t')) {
    ++record.numbers;
    text = trimmed(text.substr(number));
  }
  append_bounded(record.sequence, text);
}

}  // namespace

void read_fasta(LineReader& lines, const RecordSink& sink) {
  RawRecord record;
  bool in_record = false;
  try {
    while (const auto line = lines.next()) {
      if (line->starts_with('>')) {
        if (in_record) sink(record);
        start_record(line->substr(1), record);
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
      append_line(text, record);
    }
  } catch (const BrokenInput&) {
    reject(record, record_code::cut_off, "the input breaks off in this record");
    if (in_record) sink(record);
    throw;
  }
  if (!in_record) return;
  if (record.sequence.ends_with(control_z)) record.sequence.pop_back();
  sink(record);
}

}  // namespace pleat
