#include "work_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "pleat/core/error.h"
#include "pleat/core/file.h"
#include "segment_store.h"

namespace pleat {
namespace {

constexpr const char* lock_name = "lock";

// Who holds the lock, as it wrote itself down: "process 1234 on host".
std::string holder_of(const FileDescriptor& lock) {
  std::array<char, 256> text{};
  std::size_t got = 0;
  if (lock.read_at(0, std::as_writable_bytes(std::span(text)), got) != 0 || got == 0) return "another run";
  return {text.data(), got};
}

std::string own_name() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  return "process " + std::to_string(::getpid()) + " on " + host.data();
}

// Whether the open file is still the one under that name: its last holder may have removed it in the meantime.
bool is_still_there(const FileDescriptor& fd, const std::filesystem::path& file) {
  struct stat open {};
  struct stat named {};
  return ::fstat(fd.get(), &open) == 0 && ::stat(file.c_str(), &named) == 0 && open.st_ino == named.st_ino &&
         open.st_dev == named.st_dev;
}

}  // namespace

WorkFolder::WorkFolder(std::filesystem::path folder, bool remove_folder)
    : folder_(std::move(folder)), remove_folder_(remove_folder) {
  std::error_code error;
  remove_folder_ |= std::filesystem::create_directories(folder_, error);
  if (error) throw_system_error(error.value(), "create the work folder", folder_, ErrorCode::cannot_create);
  try {
    lock();
  } catch (...) {
    remove();
    throw;
  }
  remove_segments();
}

void WorkFolder::lock() {
  const std::filesystem::path file = folder_ / lock_name;
  do {
    lock_ = FileDescriptor(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (!lock_.is_open()) throw_system_error(errno, "create", file, ErrorCode::cannot_create);
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) {
        const FileDescriptor other = std::move(lock_);  // not ours to remove
        throw Error(ErrorCode::cannot_create,
                    "the work folder '" + folder_.string() + "' is in use by " + holder_of(other),
                    "wait for that run to end, or choose another place with --output or --work-dir");
      }
      break;  // a file system without locks: go on without
    }
  } while (!is_still_there(lock_, file));
  const std::string name = own_name();
  if (::ftruncate(lock_.get(), 0) != 0) throw_system_error(errno, "write", file, ErrorCode::cannot_create);
  const int failure = lock_.write_at(0, std::as_bytes(std::span(name)));
  if (failure != 0) throw_system_error(failure, "write", file, ErrorCode::cannot_create);
}

void WorkFolder::remove_segments() const noexcept {
  std::error_code ignored;
  for (std::filesystem::directory_iterator entry(folder_, ignored), end; entry != end; entry.increment(ignored)) {
    if (SegmentStore::is_segment(entry->path().filename().string())) std::filesystem::remove(entry->path(), ignored);
  }
}

void WorkFolder::remove() noexcept {
  if (!lock_.is_open()) return;
  remove_segments();
  std::error_code ignored;
  std::filesystem::remove(folder_ / lock_name, ignored);
  if (remove_folder_) std::filesystem::remove(folder_, ignored);  // only an empty folder can be removed
  lock_ = FileDescriptor();
}

}  // namespace pleat
