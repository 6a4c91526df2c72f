#include "hub/fetch_target.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "hub/download.h"
#include "hub/file_lock.h"
#include "weights/content_hash.h"
#include "weights/hub_environment.h"
#include "weights/strict_json.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;

void make_folder(const fs::path& folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) throw_system_error(failed.value(), "create", folder, ErrorCode::cannot_create);
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// A name that only this process uses, beside `path`.
fs::path temporary_beside(const fs::path& path) {
  return path.parent_path() / ("." + path.filename().string() + "." + std::to_string(::getpid()) + ".tmp");
}

// blobs/HASH holds the bytes, snapshots/COMMIT/FILE points there, refs/REVISION holds the commit.
class HubCache final : public FetchTarget {
 public:
  HubCache(const fs::path& cache, const std::string& repository, std::string commit)
      : repository_(cache / hub_folder_name(repository)),
        locks_(cache / ".locks" / hub_folder_name(repository)),
        commit_(std::move(commit)),
        snapshot_(repository_ / "snapshots" / commit_) {
    for (const fs::path& folder : {locks_, repository_ / "blobs", snapshot_}) make_folder(folder);
  }

  std::optional<std::uint64_t> get(HubClient& hub, const RemoteFile& file, Retry& retry,
                                   const FetchEvents& events) override {
    const fs::path blob = repository_ / "blobs" / file.hash;
    const FileLock lock(locks_ / (file.hash + ".lock"), events.waiting, events.stop);
    std::optional<std::uint64_t> came;
    if (!is_there(blob)) {
      const fs::path partial = blob.string() + ".incomplete";
      came = download(hub, file, partial, blob, retry,
                      {.progress = events.progress, .checking = events.checking, .stop = events.stop});
    }
    point_at(file);
    return came;
  }

  void finish(const std::string& revision) override {
    if (is_commit(revision)) return;
    const fs::path ref = repository_ / "refs" / revision;
    make_folder(ref.parent_path());
    const fs::path temporary = temporary_beside(ref);
    {
      std::ofstream out(temporary, std::ios::binary);
      out << commit_;
      out.close();
      if (!out) throw Error(ErrorCode::io, "cannot write '" + temporary.string() + "'");
    }
    fsync_path(temporary);
    rename_durably(temporary, ref);
  }

  [[nodiscard]] const fs::path& folder() const override { return snapshot_; }

 private:
  void point_at(const RemoteFile& file) const {
    const fs::path link = snapshot_ / file.name;
    const fs::path target = fs::path("..") / ".." / "blobs" / file.hash;
    std::error_code none;
    if (fs::read_symlink(link, none) == target) return;
    const fs::path temporary = temporary_beside(link);
    std::error_code failed;
    fs::remove(temporary, failed);
    fs::create_symlink(target, temporary, failed);
    if (failed) throw_system_error(failed.value(), "link", link, ErrorCode::cannot_create);
    rename_durably(temporary, link);
  }

  fs::path repository_;
  fs::path locks_;
  std::string commit_;
  fs::path snapshot_;
};

class PlainFolder final : public FetchTarget {
 public:
  explicit PlainFolder(fs::path folder) : folder_(std::move(folder)) { make_folder(folder_); }

  std::optional<std::uint64_t> get(HubClient& hub, const RemoteFile& file, Retry& retry,
                                   const FetchEvents& events) override {
    const fs::path final = folder_ / file.name;
    const FileLock lock(folder_, events.waiting, events.stop);
    if (is_there(final)) {
      if (events.checking) events.checking();
      if (content_hash(final, file.hash, events.stop) == file.hash) return std::nullopt;
      throw Error(ErrorCode::cannot_create, "'" + final.string() + "' is there already, with another content",
                  "give a new folder with --output, or remove that file");
    }
    // The hash in the name: a part of one version is never continued with another.
    const fs::path partial = folder_ / ("." + file.name + "." + file.hash.substr(0, 16) + ".incomplete");
    return download(hub, file, partial, final, retry,
                    {.progress = events.progress, .checking = events.checking, .stop = events.stop});
  }

  void finish(const std::string& /*revision*/) override {}

  [[nodiscard]] const fs::path& folder() const override { return folder_; }

 private:
  fs::path folder_;
};

}  // namespace

std::unique_ptr<FetchTarget> make_fetch_target(const std::string& repository, const std::string& commit,
                                               const fs::path& output) {
  if (!output.empty()) return std::make_unique<PlainFolder>(output);
  const std::optional<fs::path> cache = hub_cache_folder();
  if (!cache) {
    throw Error(ErrorCode::cannot_create, "there is no home folder for the Hugging Face cache",
                "set HF_HOME, or give a folder with --output");
  }
  return std::make_unique<HubCache>(*cache, repository, commit);
}

}  // namespace pleat
