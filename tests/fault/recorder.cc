#include "recorder.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>

namespace pleat::fault {
namespace {

struct Log {
  std::mutex mutex;
  bool is_on = false;
  std::string folder;
  std::vector<Call> calls;
  std::map<std::pair<dev_t, ino_t>, std::int64_t> files;
  std::int64_t next_file = 0;
};

Log& the_log() {
  static Log log;
  return log;
}

std::atomic<bool> flushes_are_skipped = false;
std::atomic<std::int64_t> flush_count = 0;
std::atomic<std::int64_t> failing_flush = -1;
std::atomic<int> flush_error = 0;

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

bool is_below(const Log& log, std::string_view path) { return log.is_on && path.starts_with(log.folder); }

std::string path_of(int fd) {
  std::array<char, 4096> path{};
  const ssize_t size = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path.data(), path.size());
  return size < 0 ? std::string() : std::string(path.data(), static_cast<std::size_t>(size));
}

std::int64_t file_of(Log& log, int fd, bool is_new) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return -1;
  const auto [entry, is_unknown] = log.files.try_emplace({status.st_dev, status.st_ino}, log.next_file);
  if (is_unknown) {
    ++log.next_file;
  } else if (is_new) {  // another one's number, used again
    entry->second = log.next_file++;
  }
  return entry->second;
}

int opened(int fd, const char* path, int flags, bool was_there) {
  Log& log = the_log();
  const std::scoped_lock lock(log.mutex);
  if (fd < 0 || !is_below(log, path)) return fd;
  const std::int64_t file = file_of(log, fd, !was_there);
  if (!was_there) log.calls.push_back({Call::Kind::create, file, path});
  if (was_there && (flags & O_TRUNC) != 0) log.calls.push_back({Call::Kind::truncate, file, path});
  return fd;
}

bool is_there(const char* path) {
  struct stat status {};
  return ::lstat(path, &status) == 0;
}

template <typename Make>
void note_fd(int fd, const Make& make) {
  const int kept = errno;
  Log& log = the_log();
  const std::scoped_lock lock(log.mutex);
  if (log.is_on) {
    const std::string path = path_of(fd);
    if (is_below(log, path)) log.calls.push_back(make(log, path));
  }
  errno = kept;
}

void note_path(Call call) {
  Log& log = the_log();
  const std::scoped_lock lock(log.mutex);
  if (is_below(log, call.path)) log.calls.push_back(std::move(call));
}

void note_write(int fd, std::uint64_t offset, const void* data, std::size_t size) {
  note_fd(fd, [&](Log& log, const std::string& path) {
    return Call{Call::Kind::write,
                file_of(log, fd, false),
                path,
                "",
                offset,
                std::string(static_cast<const char*>(data), size)};
  });
}

void note_truncate(int fd, std::uint64_t size) {
  note_fd(fd, [&](Log& log, const std::string& path) {
    return Call{Call::Kind::truncate, file_of(log, fd, false), path, "", size};
  });
}

int flushed(int fd, const char* name) {
  const std::int64_t number = flush_count++;
  if (number == failing_flush) {
    errno = flush_error;
    return -1;
  }
  const int result = flushes_are_skipped ? 0 : real<int(int)>(name)(fd);
  if (result != 0) return result;
  note_fd(fd, [&](Log& log, const std::string& path) {
    struct stat status {};
    const bool is_folder = ::fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
    return Call{is_folder ? Call::Kind::flush_folder : Call::Kind::flush, is_folder ? -1 : file_of(log, fd, false),
                path};
  });
  return 0;
}

}  // namespace

void Recorder::begin(const std::filesystem::path& folder) {
  Log& log = the_log();
  const std::scoped_lock lock(log.mutex);
  log.folder = folder.string();
  log.calls.clear();
  log.files.clear();
  log.next_file = 0;
  log.is_on = true;
}

std::vector<Call> Recorder::end() {
  Log& log = the_log();
  const std::scoped_lock lock(log.mutex);
  log.is_on = false;
  return std::exchange(log.calls, {});
}

void Recorder::mark() {
  Log& log = the_log();
  const std::scoped_lock lock(log.mutex);
  if (log.is_on) log.calls.push_back({});
}

void Recorder::skip_flushes(bool skip) { flushes_are_skipped = skip; }

void Recorder::fail_flush(std::int64_t n, int error) {
  flush_count = 0;
  failing_flush = n;
  flush_error = error;
}

std::int64_t Recorder::flushes() { return flush_count; }

}  // namespace pleat::fault

namespace fault = pleat::fault;
using fault::Call;

extern "C" {

int open(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
    va_list arguments;
    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
  }
  if ((flags & O_CREAT) == 0) return fault::real<int(const char*, int, ...)>("open")(path, flags, mode);
  const bool was_there = fault::is_there(path);
  return fault::opened(fault::real<int(const char*, int, ...)>("open")(path, flags, mode), path, flags, was_there);
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  const ssize_t written = fault::real<ssize_t(int, const void*, size_t, off_t)>("pwrite")(fd, data, size, offset);
  if (written > 0) {
    fault::note_write(fd, static_cast<std::uint64_t>(offset), data, static_cast<std::size_t>(written));
  }
  return written;
}

int ftruncate(int fd, off_t size) noexcept {
  const int result = fault::real<int(int, off_t)>("ftruncate")(fd, size);
  if (result == 0) fault::note_truncate(fd, static_cast<std::uint64_t>(size));
  return result;
}

int truncate(const char* path, off_t size) noexcept {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  const int result = ::ftruncate(fd, size);
  ::close(fd);
  return result;
}

int fsync(int fd) { return fault::flushed(fd, "fsync"); }
int fdatasync(int fd) { return fault::flushed(fd, "fdatasync"); }

int rename(const char* from, const char* to) noexcept {
  const int result = fault::real<int(const char*, const char*)>("rename")(from, to);
  if (result == 0) fault::note_path({Call::Kind::rename, -1, from, to});
  return result;
}

int remove(const char* path) noexcept {
  struct stat status {};
  const bool is_folder = ::lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
  const int result = fault::real<int(const char*)>("remove")(path);
  if (result == 0) fault::note_path({is_folder ? Call::Kind::rmdir : Call::Kind::unlink, -1, path});
  return result;
}

int mkdir(const char* path, mode_t mode) noexcept {
  const int result = fault::real<int(const char*, mode_t)>("mkdir")(path, mode);
  if (result == 0) fault::note_path({Call::Kind::mkdir, -1, path});
  return result;
}
}
