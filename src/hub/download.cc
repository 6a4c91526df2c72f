#include "hub/download.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "core/error.h"
#include "core/file.h"
#include "weights/content_hash.h"
#include "weights/strict_json.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;

// A server that gives no size may send no more than this.
constexpr std::uint64_t max_unknown_bytes = 1'000'000'000;
// So much progress makes earlier failures irrelevant.
constexpr std::uint64_t worthwhile_bytes = 1'000'000;

class PartialFile {
 public:
  explicit PartialFile(const fs::path& path)
      : path_(path), fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644)) {
    if (fd_ < 0) throw_system_error(errno, "create", path, ErrorCode::cannot_create);
    size_ = fs::file_size(path);
  }
  ~PartialFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;
  PartialFile(PartialFile&&) = delete;
  PartialFile& operator=(PartialFile&&) = delete;

  [[nodiscard]] std::uint64_t size() const { return size_; }

  void truncate(std::uint64_t size) {
    if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) throw_system_error(errno, "shorten", path_, ErrorCode::io);
    size_ = size;
  }

  void append(std::span<const std::byte> data) {
    while (!data.empty()) {
      const ssize_t written = ::pwrite(fd_, data.data(), data.size(), static_cast<off_t>(size_));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw_system_error(errno, "write", path_, ErrorCode::io);
      size_ += static_cast<std::uint64_t>(written);
      data = data.subspan(static_cast<std::size_t>(written));
    }
  }

  void flush() {
    if (::fsync(fd_) != 0) throw_system_error(errno, "flush", path_, ErrorCode::io);
  }

 private:
  fs::path path_;
  int fd_;
  std::uint64_t size_ = 0;
};

// One connection's worth. Returns the bytes that came.
std::uint64_t read_on(HubClient& hub, const RemoteFile& remote, PartialFile& file, const DownloadEvents& events) {
  const std::uint64_t limit = remote.size.value_or(max_unknown_bytes);
  std::uint64_t came = 0;
  const auto sink = [&](std::span<const std::byte> data) {
    if (data.size() > limit - file.size()) {
      file.truncate(0);
      throw Error(ErrorCode::bad_input,
                  in_quotes(remote.url) + " sends more than the " + std::to_string(limit) + " bytes it should have");
    }
    file.append(data);
    came += data.size();
    if (events.progress) events.progress(file.size());
  };
  hub.read(remote, file.size(), [&file](std::uint64_t start) { file.truncate(start); }, sink);
  if (remote.size && file.size() < *remote.size) {
    throw TransientFailure(in_quotes(remote.url) + " ended after " + std::to_string(file.size()) + " of " +
                           std::to_string(*remote.size) + " bytes");
  }
  return came;
}

// Fills the file to its announced size.
std::uint64_t fill(HubClient& hub, const RemoteFile& remote, PartialFile& file, Retry& retry,
                   const DownloadEvents& events) {
  std::uint64_t came = 0;
  while (true) {
    if (remote.size && file.size() > *remote.size) file.truncate(0);
    if (remote.size && file.size() == *remote.size) return came;
    const std::uint64_t before = file.size();
    try {
      return came + read_on(hub, remote, file, events);
    } catch (const TransientFailure& failure) {
      if (file.size() > before) came += file.size() - before;
      if (file.size() >= before + worthwhile_bytes) retry.forget();
      retry.after(failure);
    }
  }
}

void check_room(const RemoteFile& remote, const fs::path& partial, std::uint64_t have) {
  std::error_code unknown;
  const fs::space_info space = fs::space(partial.parent_path(), unknown);
  if (unknown || !remote.size || *remote.size <= have || space.available >= *remote.size - have) return;
  throw Error(ErrorCode::retry,
              "'" + partial.parent_path().string() + "' has room for " + std::to_string(space.available) +
                  " bytes, and " + in_quotes(remote.name) + " needs " + std::to_string(*remote.size - have) + " more",
              "make room, or choose another place with --output or HF_HOME");
}

}  // namespace

std::uint64_t download(HubClient& hub, const RemoteFile& remote, const fs::path& partial, const fs::path& final,
                       Retry& retry, const DownloadEvents& events) {
  std::uint64_t came = 0;
  while (true) {
    bool continued = false;
    {
      PartialFile file(partial);
      continued = file.size() > 0;
      check_room(remote, partial, file.size());
      came += fill(hub, remote, file, retry, events);
      file.flush();
    }
    if (events.checking) events.checking();
    const std::string hash = content_hash(partial, remote.hash, events.stop);
    if (hash == remote.hash) {
      rename_durably(partial, final);
      return came;
    }
    fs::remove(partial);
    if (continued) continue;  // the older part may have been bad
    throw Error(
        ErrorCode::bad_input,
        in_quotes(remote.name) + " has the hash " + hash + " and should have " + remote.hash + "; it has been deleted",
        "the transfer was damaged, or a proxy or mirror changes files; try again, and check HF_ENDPOINT");
  }
}

}  // namespace pleat
