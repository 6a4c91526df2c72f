#include "sequence/line_reader.h"

#include <algorithm>

#include "core/error.h"
#include "sequence/text.h"

namespace pleat {
namespace {

constexpr std::size_t block_bytes = std::size_t{1} << 18U;

bool is_line_end(char c) { return c == '\n' || c == '\r'; }

bool is_odd_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && (byte < '\t' || byte > '\r')) || byte == 0x7F;
}

// Text has hardly any control characters; compressed, compiled and UTF-16 files have many.
void check_text(std::string_view block, bool first_block, const std::filesystem::path& file) {
  const bool gzip_magic = first_block && block.starts_with("\x1f\x8b");
  bool binary = gzip_magic || block.find('\0') != std::string_view::npos;
  if (first_block && !binary) {
    constexpr std::size_t one_in = 50;
    const auto odd = static_cast<std::size_t>(std::count_if(block.begin(), block.end(), is_odd_control));
    binary = odd * one_in > block.size();
  }
  if (!binary) return;
  throw Error(ErrorCode::bad_input, quoted(file) + " holds binary data, not text",
              gzip_magic ? "it looks like gzip: end its name in .gz" : "give a text file, in UTF-8");
}

}  // namespace

LineReader::LineReader(const std::filesystem::path& file)
    : file_(file), source_(open_source(file)), block_(block_bytes) {}

std::optional<std::string_view> LineReader::next() {
  partial_.clear();
  while (true) {
    if (begin_ == end_ && !refill()) {
      if (partial_.empty()) return std::nullopt;
      return finish(partial_);
    }
    if (after_cr_) {
      after_cr_ = false;
      if (block_[begin_] == '\n') {
        ++begin_;
        continue;
      }
    }
    const std::string_view rest(block_.data() + begin_, end_ - begin_);
    const auto stop = std::find_if(rest.begin(), rest.end(), is_line_end);
    const std::string_view piece = rest.substr(0, static_cast<std::size_t>(stop - rest.begin()));
    begin_ += piece.size();
    if (stop == rest.end()) {
      keep(piece);
      continue;
    }
    ++begin_;
    after_cr_ = *stop == '\r';
    if (partial_.empty()) return finish(piece);
    keep(piece);
    return finish(partial_);
  }
}

bool LineReader::refill() {
  begin_ = 0;
  end_ = source_->read(block_);
  check_text({block_.data(), end_}, first_block_, file_);
  first_block_ = false;
  return end_ > 0;
}

void LineReader::keep(std::string_view piece) {
  if (partial_.size() + piece.size() > max_text_bytes) {
    throw Error(ErrorCode::bad_input,
                quoted(file_) + ", line " + std::to_string(line_number_ + 1) + ": the line is longer than 64 MiB",
                "is this a file of protein sequences?");
  }
  partial_ += piece;
}

std::string_view LineReader::finish(std::string_view line) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  ++line_number_;
  if (line_number_ == 1 && line.starts_with(byte_order_mark)) line.remove_prefix(byte_order_mark.size());
  return line;
}

}  // namespace pleat
