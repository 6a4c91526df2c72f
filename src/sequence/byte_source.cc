#include "sequence/byte_source.h"

#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "sequence/text.h"

namespace pleat {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

class PlainSource : public ByteSource {
 public:
  explicit PlainSource(const std::filesystem::path& file) : path_(file), file_(std::fopen(file.c_str(), "rbe")) {
    if (file_ == nullptr) throw_system_error(errno, "open", file, ErrorCode::missing_input);
  }

  std::size_t read(std::span<char> out) override {
    const std::size_t count = std::fread(out.data(), 1, out.size(), file_.get());
    if (count == 0 && std::ferror(file_.get()) != 0) {
      throw_system_error(errno, "read", path_, ErrorCode::missing_input);
    }
    return count;
  }

 private:
  std::filesystem::path path_;
  std::unique_ptr<std::FILE, CloseFile> file_;
};

// A gzip file is one or more members, one after the other (RFC 1952); block-gzipped files have thousands.
class GzipSource : public ByteSource {
 public:
  explicit GzipSource(const std::filesystem::path& file) : path_(file), compressed_(file) {
    constexpr int gzip_only = 16;
    if (inflateInit2(&stream_, MAX_WBITS + gzip_only) != Z_OK) throw_out_of_memory();
  }
  ~GzipSource() override { inflateEnd(&stream_); }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;
  GzipSource(GzipSource&&) = delete;
  GzipSource& operator=(GzipSource&&) = delete;

  std::size_t read(std::span<char> out) override {
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    while (stream_.avail_out == out.size()) {
      if (!in_member_ && !start_next_member()) return 0;
      if (stream_.avail_in == 0 && !refill()) {
        throw Error(ErrorCode::bad_input, quoted(path_) + " ends in the middle of its gzip data",
                    "copy or download the file again");
      }
      const int status = inflate(&stream_, Z_NO_FLUSH);
      if (status == Z_MEM_ERROR) throw_out_of_memory();
      if (status == Z_STREAM_END) {
        in_member_ = false;
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        throw_broken();
      }
    }
    return out.size() - stream_.avail_out;
  }

 private:
  bool refill() {
    const std::size_t count = compressed_.read(buffer_);
    stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
    stream_.avail_in = static_cast<uInt>(count);
    return count > 0;
  }

  // False at the end of the file. Tapes and some tools fill the last block with zeros; gzip skips them, so do we.
  bool start_next_member() {
    do {
      while (stream_.avail_in > 0 && *stream_.next_in == 0) {
        ++stream_.next_in;
        --stream_.avail_in;
      }
    } while (stream_.avail_in == 0 && refill());
    if (stream_.avail_in == 0) return false;
    if (inflateReset(&stream_) != Z_OK) throw_broken();
    in_member_ = true;
    return true;
  }

  [[noreturn]] void throw_broken() const {
    const std::string why = stream_.msg == nullptr ? "" : std::string(": ") + stream_.msg;
    throw Error(ErrorCode::bad_input, quoted(path_) + " is not valid gzip" + why,
                "copy or download the file again, or drop .gz from its name if it is not compressed");
  }
  [[noreturn]] static void throw_out_of_memory() {
    throw Error(ErrorCode::retry, "not enough memory to read gzip data");
  }

  std::filesystem::path path_;
  PlainSource compressed_;
  std::array<char, 1 << 16> buffer_{};
  z_stream stream_{};
  bool in_member_ = true;  // from the start, so that an empty file counts as cut short
};

}  // namespace

bool is_gzip_name(const std::filesystem::path& file) { return lower_case(file.extension().string()) == ".gz"; }

std::unique_ptr<ByteSource> open_source(const std::filesystem::path& file) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) {
    throw Error(ErrorCode::missing_input, quoted(file) + " is a folder, not a file", "name the files in it");
  }
  if (is_gzip_name(file)) return std::make_unique<GzipSource>(file);
  return std::make_unique<PlainSource>(file);
}

}  // namespace pleat
