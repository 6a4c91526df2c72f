#include "sequence/line_reader.h"

#include <algorithm>

#include "core/error.h"
#include "sequence/text.h"

namespace pleat {
namespace {

constexpr std::size_t block_bytes = std::size_t{1} << 18U;

bool is_line_end(char c) { return c == '\n' || c == '\r'; }

}  // namespace

LineReader::LineReader(const std::filesystem::path& file, const StopToken* stop)
    : file_(file), source_(open_source(file, stop)), block_(block_bytes) {}

std::string_view LineReader::start() {
  constexpr std::size_t enough = 4096;  // a pipe, or a block of gzip, may give less at once
  while (end_ < enough) {
    std::size_t count = 0;
    try {
      count = source_->read(std::span(block_).subspan(end_));
    } catch (const BrokenInput&) {
      if (end_ == 0) throw;
      failure_ = std::current_exception();
    }
    if (count == 0) break;
    end_ += count;
  }
  return {block_.data(), end_};
}

std::optional<std::string_view> LineReader::next() {
  partial_.clear();
  cut_ = false;
  while (true) {
    if (begin_ == end_) {
      bool more = false;
      try {
        if (failure_) std::rethrow_exception(failure_);
        more = refill();
      } catch (const BrokenInput&) {
        if (partial_.empty()) throw;
        failure_ = std::current_exception();
        cut_ = true;
        return finish(partial_);
      }
      if (!more) {
        if (partial_.empty()) return std::nullopt;
        return finish(partial_);
      }
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
  end_ = 0;  // should reading fail
  end_ = source_->read(block_);
  return end_ > 0;
}

void LineReader::keep(std::string_view piece) {
  if (partial_.size() + piece.size() > max_text_bytes) {
    partial_.clear();
    throw BrokenInput(quoted(file_) + ", line " + std::to_string(line_number_ + 1) + ": the line is longer than 64 MiB",
                      "is this a file of protein sequences?", true);
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
