#include "sequence/byte_source.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <new>
#include <vector>

#include "core/file.h"
#include "core/file_descriptor.h"
#include "core/sha256.h"
#include "sequence/text.h"

namespace pleat {
namespace {

constexpr const char* fetch_again = "copy or download the file again";

// With what its name tells of the reason.
[[noreturn]] void throw_not_opened(int error, const std::filesystem::path& file) {
  const std::string name = file.string();
  if (error != ENOENT) throw_system_error(error, "open", file, ErrorCode::missing_input);
  if (name.find_first_of("*?[") != std::string::npos) {
    throw Error(ErrorCode::missing_input, "no file matches " + quoted(file),
                "`*` and `?` stand for any characters but slashes; hidden files are not matched");
  }
  std::string hint;
  if (name.find('$') != std::string::npos) hint = "a variable of the environment is written ${NAME}";
  if (name.starts_with('~') || name.find("/~") != std::string::npos) hint = "only ~/ at the start is the home folder";
  throw Error(ErrorCode::missing_input, "cannot open " + quoted(file) + ": " + std::strerror(error), hint);
}

// The file as it lies there: counted and hashed on the way, with a look at its first bytes.
class RawFile {
 public:
  RawFile(const std::filesystem::path& file, const StopToken* stop) : path_(file), stop_(stop), ahead_(block_bytes) {
    fd_ = FileDescriptor(file == "-" ? ::dup(STDIN_FILENO) : ::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd_.is_open()) throw_not_opened(errno, file);
    // A file of which not even the start can be read counts as one that is not there.
    try {
      fill_ahead();
    } catch (const BrokenInput& error) {
      throw Error(ErrorCode::missing_input, error.what(), error.hint());
    }
  }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::string_view start() const { return {ahead_.data(), end_}; }

  std::size_t read(std::span<char> out) {
    if (begin_ == end_) return take(out);
    const std::size_t count = std::min(out.size(), end_ - begin_);
    std::memcpy(out.data(), ahead_.data() + begin_, count);
    begin_ += count;
    return count;
  }

  ByteSource::Facts facts() {
    try {
      while (take(ahead_) > 0) {
      }
    } catch (const BrokenInput&) {
      return {bytes_, {}};  // nobody can read all of it
    }
    return {bytes_, sha256_.finish()};
  }

 private:
  static constexpr std::size_t block_bytes = std::size_t{1} << 16U;

  void fill_ahead() {
    constexpr std::size_t enough = 8;  // for any magic number; a pipe may give less at once
    while (end_ < enough) {
      const std::size_t count = take(std::span(ahead_).subspan(end_));
      if (count == 0) return;
      end_ += count;
    }
  }

  std::size_t take(std::span<char> out) {
    wait_for_bytes();
    ssize_t count = 0;
    do {
      count = ::read(fd_.get(), out.data(), out.size());
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
      throw BrokenInput("cannot read " + quoted(path_) + ": " + std::strerror(errno), "look at the disk it lies on",
                        true);
    }
    bytes_ += count;
    sha256_.update(std::string_view(out.data(), static_cast<std::size_t>(count)));
    return static_cast<std::size_t>(count);
  }

  // A pipe may be silent for long, in which a read would hear of nothing.
  void wait_for_bytes() const {
    constexpr int glance_milliseconds = 50;
    throw_if_stopped(stop_);
    if (stop_ == nullptr) return;
    pollfd input{fd_.get(), POLLIN, 0};
    for (int ready = 0; ready == 0 || (ready < 0 && errno == EINTR);) {
      ready = ::poll(&input, 1, glance_milliseconds);
      throw_if_stopped(stop_);
    }
  }

  std::filesystem::path path_;
  FileDescriptor fd_;
  const StopToken* stop_;
  std::vector<char> ahead_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::int64_t bytes_ = 0;
  Sha256 sha256_;
};

class PlainSource final : public ByteSource {
 public:
  explicit PlainSource(std::unique_ptr<RawFile> file) : file_(std::move(file)) {}
  std::size_t read(std::span<char> out) override { return file_->read(out); }
  [[nodiscard]] std::string_view compression() const override { return ""; }
  Facts facts() override { return file_->facts(); }

 private:
  std::unique_ptr<RawFile> file_;
};

[[noreturn]] void throw_cut(const std::filesystem::path& file, std::string_view kind) {
  throw BrokenInput(quoted(file) + " ends in the middle of its " + std::string(kind) + " data", fetch_again, true);
}

[[noreturn]] void throw_followed(const std::filesystem::path& file, std::string_view kind) {
  throw BrokenInput(quoted(file) + " goes on with something else behind its " + std::string(kind) + " data",
                    fetch_again, true);
}

[[noreturn]] void throw_damaged(const std::filesystem::path& file, std::string_view kind, const std::string& why) {
  throw BrokenInput(quoted(file) + " is not valid " + std::string(kind) + (why.empty() ? "" : ": " + why) +
                        "; none of its records can be trusted",
                    fetch_again, false);
}

// A gzip file is one or more members, one after the other (RFC 1952); block-gzipped files have thousands. Not by
// libarchive, which does not look at gzip's checksums.
class GzipSource final : public ByteSource {
 public:
  explicit GzipSource(std::unique_ptr<RawFile> file) : file_(std::move(file)) {
    constexpr int gzip_only = 16;
    if (inflateInit2(&stream_, MAX_WBITS + gzip_only) != Z_OK) throw std::bad_alloc();
  }
  ~GzipSource() override { inflateEnd(&stream_); }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;
  GzipSource(GzipSource&&) = delete;
  GzipSource& operator=(GzipSource&&) = delete;

  // Gives what was inflated before it tells of a fault.
  std::size_t read(std::span<char> out) override {
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    const auto given = [&] { return out.size() - stream_.avail_out; };
    while (given() == 0) {
      if (!in_member_ && !start_next_member()) return 0;
      if (stream_.avail_in == 0 && !refill()) throw_cut(file_->path(), compression());
      const int status = inflate(&stream_, Z_NO_FLUSH);
      if (status == Z_MEM_ERROR) throw std::bad_alloc();
      if (status == Z_STREAM_END) {
        in_member_ = false;
        ++members_;
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        const std::string why = stream_.msg == nullptr ? "" : stream_.msg;
        // What follows a whole member and is none harms nothing before it.
        if (stream_.total_out == 0 && members_ > 0) throw_followed(file_->path(), compression());
        throw_damaged(file_->path(), compression(), why);
      }
    }
    return given();
  }

  [[nodiscard]] std::string_view compression() const override { return "gzip"; }
  Facts facts() override { return file_->facts(); }

 private:
  bool refill() {
    const std::size_t count = file_->read(buffer_);
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
    if (inflateReset(&stream_) != Z_OK) throw std::bad_alloc();
    in_member_ = true;
    return true;
  }

  std::unique_ptr<RawFile> file_;
  std::array<char, 1 << 16> buffer_{};
  z_stream stream_{};
  bool in_member_ = true;
  std::int64_t members_ = 0;  // that ended well
};

// zstd, xz and bzip2, whose checksums the libraries below libarchive verify. Only the one filter that the file's first
// bytes name is switched on.
class ArchiveSource final : public ByteSource {
 public:
  using Support = int (*)(archive*);

  ArchiveSource(std::unique_ptr<RawFile> file, std::string_view kind, Support support)
      : file_(std::move(file)), kind_(kind), archive_(archive_read_new()) {
    if (archive_ == nullptr) throw std::bad_alloc();
    archive* const a = archive_.get();
    if (support(a) != ARCHIVE_OK || archive_read_support_format_raw(a) != ARCHIVE_OK ||
        archive_read_support_format_empty(a) != ARCHIVE_OK) {
      throw Error(ErrorCode::missing_input, quoted(file_->path()) + " is compressed with " + std::string(kind_) +
                                                ", which this machine's libarchive cannot read");
    }
  }

  std::size_t read(std::span<char> out) override {
    if (!is_open_ && !open()) return 0;
    const la_ssize_t count = archive_read_data(archive_.get(), out.data(), out.size());
    if (count < 0) throw_broken();
    return static_cast<std::size_t>(count);
  }

  [[nodiscard]] std::string_view compression() const override { return kind_; }
  Facts facts() override { return file_->facts(); }

 private:
  struct Free {
    void operator()(archive* open) const { archive_read_free(open); }
  };

  // False for data that hold nothing.
  bool open() {
    is_open_ = true;
    if (archive_read_open(archive_.get(), this, nullptr, &ArchiveSource::give, nullptr) != ARCHIVE_OK) throw_broken();
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(archive_.get(), &entry);
    if (status == ARCHIVE_EOF) return false;
    if (status != ARCHIVE_OK) throw_broken();
    return true;
  }

  // libarchive asks for more of the file. No exception may pass through C.
  static la_ssize_t give(archive* a, void* self, const void** block) {
    auto& source = *static_cast<ArchiveSource*>(self);
    try {
      *block = source.buffer_.data();
      return static_cast<la_ssize_t>(source.file_->read(source.buffer_));
    } catch (const BrokenInput& error) {
      source.failure_ = std::current_exception();
      archive_set_error(a, EIO, "%s", error.what());
      return ARCHIVE_FATAL;
    } catch (const Stopped& stopped) {
      source.failure_ = std::current_exception();
      archive_set_error(a, EINTR, "%s", stopped.what());
      return ARCHIVE_FATAL;
    }
  }

  [[noreturn]] void throw_broken() const {
    if (failure_ != nullptr) std::rethrow_exception(failure_);
    const char* const text = archive_error_string(archive_.get());
    const std::string why = text == nullptr ? "" : text;
    if (archive_errno(archive_.get()) == ENOMEM) throw std::bad_alloc();
    if (why.find("runcated") != std::string::npos) throw_cut(file_->path(), kind_);
    throw_damaged(file_->path(), kind_, why);
  }

  std::unique_ptr<RawFile> file_;
  std::string_view kind_;
  std::array<char, 1 << 16> buffer_{};
  std::exception_ptr failure_;
  std::unique_ptr<archive, Free> archive_;
  bool is_open_ = false;
};

// A frame, or one that is skipped, with which pzstd and the seekable format begin.
bool is_zstd(std::string_view start) {
  using namespace std::string_view_literals;
  if (start.starts_with("\x28\xb5\x2f\xfd"sv)) return true;
  return start.size() >= 4 && (static_cast<unsigned char>(start[0]) & 0xF0U) == 0x50U &&
         start.substr(1).starts_with("\x2a\x4d\x18"sv);
}

}  // namespace

std::unique_ptr<ByteSource> open_source(const std::filesystem::path& file, const StopToken* stop) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) {
    throw Error(ErrorCode::missing_input, quoted(file) + " is a folder", "name a file");
  }
  auto raw = std::make_unique<RawFile>(file, stop);
  using namespace std::string_view_literals;
  const std::string_view start = raw->start();
  if (start.starts_with("\x1f\x8b"sv)) return std::make_unique<GzipSource>(std::move(raw));
  if (is_zstd(start)) {
    return std::make_unique<ArchiveSource>(std::move(raw), "zstd", archive_read_support_filter_zstd);
  }
  if (start.starts_with("\xfd"
                        "7zXZ\0"sv)) {
    return std::make_unique<ArchiveSource>(std::move(raw), "xz", archive_read_support_filter_xz);
  }
  if (start.starts_with("BZh"sv)) {
    return std::make_unique<ArchiveSource>(std::move(raw), "bzip2", archive_read_support_filter_bzip2);
  }
  return std::make_unique<PlainSource>(std::move(raw));
}

}  // namespace pleat
