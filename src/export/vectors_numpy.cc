#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <ctime>
#include <memory>

#include "core/error.h"
#include "core/file.h"
#include "core/file_descriptor.h"
#include "core/printable.h"
#include "export/vector_files.h"
#include "journal/flush.h"
#include "results/partial_file.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;

// What precedes the numbers in NumPy's format 1.0, padded to 64 bytes. `shape` as Python writes a tuple.
std::string npy_header(std::string_view type, const std::string& shape) {
  constexpr std::size_t fixed = 10;  // magic, version, length
  constexpr std::size_t alignment = 64;
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", type, shape);
  text.append(alignment - 1 - (fixed + text.size()) % alignment, ' ');
  text += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(text.size() & 0xFF);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

std::string_view numpy_type(DType dtype) { return dtype == DType::float16 ? "<f2" : "<f4"; }

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A new file, written from begin to end.
class Output {
 public:
  Output(fs::path file, bool overwrite)
      : file_((check_output(file, overwrite), std::move(file))),
        partial_(file_),
        out_(::open(partial_.path().c_str(), O_WRONLY | O_CLOEXEC)) {
    if (!out_.is_open()) throw_system_error(errno, "create", partial_.path(), ErrorCode::cannot_create);
  }

  [[nodiscard]] int descriptor() const { return out_.get(); }
  [[nodiscard]] const fs::path& path() const { return partial_.path(); }
  void add(std::string_view text) {
    const int failure = out_.write_at(size_, std::as_bytes(std::span(text)));
    if (failure != 0) throw_system_error(failure, "write", partial_.path(), ErrorCode::io);
    size_ += text.size();
  }
  // Gives the file its name.
  void finish() {
    flush(partial_.unflushed());
    partial_.rename_to(file_);
  }

 private:
  fs::path file_;
  PartialFile partial_;
  FileDescriptor out_;
  std::uint64_t size_ = 0;
};

// A zip archive of stored members, like numpy.savez() makes it.
class Zip {
 public:
  explicit Zip(const Output& out) : out_(out), archive_(archive_write_new()) {
    if (archive_ == nullptr) throw std::bad_alloc();
    check(archive_write_set_format_zip(archive_.get()));
    check(archive_write_zip_set_compression_store(archive_.get()));
    check(archive_write_set_format_option(archive_.get(), "zip", "hdrcharset", "UTF-8"));
    check(archive_write_set_bytes_in_last_block(archive_.get(), 1));
    check(archive_write_open_fd(archive_.get(), out.descriptor()));
  }

  void begin(const std::string& name, std::int64_t size) const {
    if (name.size() > longest_name) {
      throw Error(
          ErrorCode::usage,
          "a zip archive holds no name of " + std::to_string(name.size()) + " bytes: '" + printable(name, 80) + "'",
          "name embeddings with --key sha256, or choose another format, such as h5");
    }
    const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(), archive_entry_free);
    if (entry == nullptr) throw std::bad_alloc();
    archive_entry_set_pathname_utf8(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_mtime(entry.get(), first_second_, 0);
    archive_entry_set_size(entry.get(), size);
    check(archive_write_header(archive_.get(), entry.get()));
  }
  void add(std::string_view text) const {
    if (archive_write_data(archive_.get(), text.data(), text.size()) != static_cast<la_ssize_t>(text.size())) {
      check(ARCHIVE_FATAL);
    }
  }
  void end() const { check(archive_write_finish_entry(archive_.get())); }
  void finish() const { check(archive_write_close(archive_.get())); }

 private:
  struct Free {
    void operator()(archive* open) const { archive_write_free(open); }
  };

  static constexpr std::size_t longest_name = 65535;  // bytes, in the format

  void check(int status) const {
    if (status == ARCHIVE_OK || status == ARCHIVE_WARN) return;
    if (const int error = archive_errno(archive_.get()); error > 0) {
      throw_system_error(error, "write", out_.path(), ErrorCode::io);
    }
    const char* const why = archive_error_string(archive_.get());
    throw Error(ErrorCode::io, "cannot write '" + out_.path().string() + "': " + (why == nullptr ? "?" : why));
  }

  static constexpr std::time_t first_second_ =
      315532800;  // 1980, where zip's time begins: no time of today in the file

  const Output& out_;
  std::unique_ptr<archive, Free> archive_;
};

std::string shape_of(const VectorSource& source, const VectorItem& item) {
  if (source.kind() != VectorKind::per_residue) return fmt::format("({},)", source.width());
  return fmt::format("({}, {})", item.rows, source.width());
}

void write_offsets(const VectorSource& source, const fs::path& file, bool overwrite) {
  Output out(file, overwrite);
  out.add(npy_header("<i8", fmt::format("({},)", source.items().size() + 1)));
  std::vector<std::int64_t> offsets{0};
  for (const VectorItem& item : source.items()) offsets.push_back(offsets.back() + item.rows);
  out.add(text_of(std::as_bytes(std::span(offsets))));
  out.finish();
}

}  // namespace

void write_vectors_npz(const VectorSource& source, const fs::path& file, bool overwrite) {
  Output out(file, overwrite);
  const Zip zip(out);
  VectorNames names;
  for (const VectorItem& item : source.items()) {
    const std::string header = npy_header(numpy_type(source.dtype()), shape_of(source, item));
    const std::int64_t bytes = item.rows * source.width() * static_cast<std::int64_t>(size_of(source.dtype()));
    zip.begin(names.next(item.key) + ".npy", std::ssize(header) + bytes);
    zip.add(header);
    source.read(item, [&](std::int64_t, std::span<const float> values) {
      zip.add(text_of(stored_bytes(values, source.dtype())));
    });
    zip.end();
  }
  zip.finish();
  out.finish();
}

fs::path write_vectors_npy(const VectorSource& source, const fs::path& folder, bool overwrite) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw_system_error(error.value(), "create the folder", folder, ErrorCode::cannot_create);
  fs::path file = folder / "embeddings.npy";
  Output vectors(file, overwrite);
  Output ids(folder / numpy_ids_file, overwrite);
  vectors.add(npy_header(numpy_type(source.dtype()), fmt::format("({}, {})", source.rows(), source.width())));
  for (const VectorItem& item : source.items()) {
    ids.add(one_line(item.key) + "\n");
    source.read(item, [&](std::int64_t, std::span<const float> values) {
      vectors.add(text_of(stored_bytes(values, source.dtype())));
    });
  }
  if (source.kind() == VectorKind::per_residue) write_offsets(source, folder / "offsets.npy", overwrite);
  ids.finish();
  vectors.finish();
  return file;
}

}  // namespace pleat
