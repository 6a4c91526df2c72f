#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>

#include <cerrno>
#include <ctime>
#include <memory>

#include "core/error.h"
#include "core/file.h"
#include "core/file_descriptor.h"
#include "core/text.h"
#include "export/file_sink.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;

bool is_compressed(const std::string& name) { return name.ends_with(".gz") || name.ends_with(".tgz"); }

// The name without what makes it an archive.
std::string stem_of(const fs::path& file) {
  const std::string name = file.filename().string();
  return name.substr(0, lower_case(name).rfind(lower_case(name).ends_with(".tgz") ? ".tgz" : ".tar"));
}

// Seconds since 1970; 0 for text that is no time.
std::time_t time_of(const std::string& utc) {
  std::tm parts{};
  return ::strptime(utc.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) == nullptr ? 0 : ::timegm(&parts);
}

class ArchiveSink final : public FileSink {
 public:
  ArchiveSink(fs::path file, const std::string& created_utc, bool overwrite)
      : file_(std::move(file)), partial_(file_), stem_(stem_of(file_)), time_(time_of(created_utc)) {
    if (!overwrite && fs::exists(fs::symlink_status(file_))) {
      throw Error(ErrorCode::cannot_create, "'" + file_.string() + "' is there already",
                  "replace it with --overwrite, or choose another name with --output");
    }
    partial_ += ".partial";
    out_ = FileDescriptor(::open(partial_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (!out_.is_open()) throw_system_error(errno, "create", partial_, ErrorCode::cannot_create);
    archive_.reset(archive_write_new());
    if (archive_ == nullptr) throw std::bad_alloc();
    check(archive_write_set_format_pax_restricted(archive_.get()));
    if (is_compressed(lower_case(file_.filename().string()))) {
      check(archive_write_add_filter_gzip(archive_.get()));
      check(archive_write_set_filter_option(archive_.get(), "gzip", "timestamp", nullptr));
    }
    check(archive_write_open_fd(archive_.get(), out_.get()));
  }
  ~ArchiveSink() override {
    archive_.reset();
    std::error_code ignored;
    if (!is_finished_) fs::remove(partial_, ignored);
  }
  ArchiveSink(const ArchiveSink&) = delete;
  ArchiveSink& operator=(const ArchiveSink&) = delete;

  void check_free(const std::string& /*name*/) const override {}

  void add(const std::string& name, std::string_view text) override {
    const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(), archive_entry_free);
    if (entry == nullptr) throw std::bad_alloc();
    archive_entry_set_pathname(entry.get(), (stem_.empty() ? name : stem_ + "/" + name).c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_mtime(entry.get(), time_, 0);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(text.size()));
    check(archive_write_header(archive_.get(), entry.get()));
    if (archive_write_data(archive_.get(), text.data(), text.size()) != static_cast<la_ssize_t>(text.size())) {
      check(ARCHIVE_FATAL);
    }
    check(archive_write_finish_entry(archive_.get()));
  }

  void finish() override {
    check(archive_write_close(archive_.get()));
    fsync_path(partial_);
    rename_durably(partial_, file_);
    is_finished_ = true;
  }

 private:
  struct FreeArchive {
    void operator()(archive* open) const { archive_write_free(open); }
  };

  void check(int status) const {
    if (status == ARCHIVE_OK || status == ARCHIVE_WARN) return;
    if (const int error = archive_errno(archive_.get()); error > 0) {
      throw_system_error(error, "write", partial_, ErrorCode::io);
    }
    const char* const why = archive_error_string(archive_.get());
    throw Error(ErrorCode::io, "cannot write '" + partial_.string() + "': " + (why == nullptr ? "?" : why));
  }

  fs::path file_;
  fs::path partial_;
  std::string stem_;
  std::time_t time_;
  FileDescriptor out_;
  std::unique_ptr<archive, FreeArchive> archive_;
  bool is_finished_ = false;
};

}  // namespace

bool is_archive(const fs::path& path) {
  const std::string name = lower_case(path.filename().string());
  return name.ends_with(".tar") || name.ends_with(".tar.gz") || name.ends_with(".tgz");
}

std::unique_ptr<FileSink> open_archive(fs::path file, const std::string& created_utc, bool overwrite) {
  return std::make_unique<ArchiveSink>(std::move(file), created_utc, overwrite);
}

}  // namespace pleat
