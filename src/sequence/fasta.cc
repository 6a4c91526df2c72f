#include <algorithm>
#include <string_view>

#include "core/error.h"
#include "core/text.h"
#include "sequence/formats.h"
#include "sequence/text.h"

namespace pleat {
namespace {

void start_record(std::string_view header, RawRecord& record) {
  const std::size_t blank = std::min(header.find_first_of(" \t"), header.size());
  record.id = header.substr(0, blank);
  record.description = trimmed(header.substr(blank));
  record.sequence.clear();
}

// Keeps one letter more than is allowed, which is enough to see that the sequence is too long.
void append_bounded(std::string& sequence, std::string_view text) {
  const std::size_t room = max_text_bytes + 1 - sequence.size();
  sequence += text.substr(0, room);
}

}  // namespace

void read_fasta(LineReader& lines, const RecordSink& sink) {
  RawRecord record;
  bool in_record = false;
  while (const auto line = lines.next()) {
    if (line->starts_with('>')) {
      if (in_record) sink(record);
      start_record(line->substr(1), record);
      in_record = true;
      continue;
    }
    const std::string_view text = trimmed(*line);
    if (text.empty() || line->starts_with(';')) continue;
    if (!in_record) {
      throw Error(
          ErrorCode::bad_input,
          quoted(lines.file()) + ", line " + std::to_string(lines.line_number()) + ": text before the first header",
          "a FASTA file starts with a line such as '>name'");
    }
    append_bounded(record.sequence, text);
  }
  if (in_record) sink(record);
}

}  // namespace pleat
