// The lines of a text file, plain or compressed, one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sequence/byte_source.h"

namespace pleat {

// A line, a field or a sequence longer than this is refused, so that a file which is not what it seems cannot fill
// the memory. The longest known protein has about 40,000 residues.
inline constexpr std::size_t max_text_bytes = std::size_t{64} << 20U;

// Lines end in LF, CR LF or CR. A byte order mark at the start of the file is dropped.
class LineReader {
 public:
  // Throws as open_source() does.
  explicit LineReader(const std::filesystem::path& file, const StopToken* stop = nullptr);

  // The next line without its end, valid until the next call; empty at the end of the file. Throws BrokenInput, also
  // for a line over max_text_bytes. A line in which the file breaks off is given first: is_cut() then tells.
  [[nodiscard]] std::optional<std::string_view> next();

  // Whether the line that next() gave last may lack its end, since the file broke off in it.
  [[nodiscard]] bool is_cut() const { return cut_; }
  // Of the line that next() gave last, from 1.
  [[nodiscard]] std::int64_t line_number() const { return line_number_; }
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

  // The text that the file starts with, a good part of it; before the first call of next() only. Throws BrokenInput.
  [[nodiscard]] std::string_view start();
  // See ByteSource.
  [[nodiscard]] std::string_view compression() const { return source_->compression(); }
  [[nodiscard]] ByteSource::Facts facts() { return source_->facts(); }

 private:
  bool refill();
  void keep(std::string_view piece);
  [[nodiscard]] std::string_view finish(std::string_view line);

  std::filesystem::path file_;
  std::unique_ptr<ByteSource> source_;
  std::vector<char> block_;
  std::size_t begin_ = 0;  // what is not yet used of the block
  std::size_t end_ = 0;
  std::string partial_;  // the start of a line that goes on in the next block
  std::int64_t line_number_ = 0;
  bool after_cr_ = false;
  bool cut_ = false;
  std::exception_ptr failure_;  // to be told once the line before it was given
};

}  // namespace pleat
