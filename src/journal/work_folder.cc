#include "journal/work_folder.h"

#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "core/host_name.h"
#include "core/locked_file.h"
#include "journal/journal.h"
#include "journal/segment_store.h"

namespace pleat {
namespace {

// The folder may be a user's, with files of other programs in it.
constexpr const char* lock_name = "pleat.lock";

// Who holds the lock, as it wrote itself down: "process 1234 on host".
std::string holder_of(const FileDescriptor& lock) {
  std::array<char, 256> text{};
  std::size_t got = 0;
  if (lock.read_at(0, std::as_writable_bytes(std::span(text)), got) != 0 || got == 0) return "another run";
  return {text.data(), got};
}

// Whether the folder was made, with those above it where needed. A power cut must not lose its name, and with it what
// was flushed inside.
bool make_durably(std::filesystem::path folder) {
  if (!folder.has_filename()) folder = folder.parent_path();  // it was given with a '/' at its end
  std::vector<std::filesystem::path> missing;
  std::error_code error;
  for (std::filesystem::path above = folder; !std::filesystem::exists(above, error); above = above.parent_path()) {
    missing.push_back(above);
    if (!above.has_relative_path()) break;
  }
  std::filesystem::create_directories(folder, error);
  if (error) throw_system_error(error.value(), "create the work folder", folder, ErrorCode::cannot_create);
  for (const std::filesystem::path& made : missing) fsync_path(made.parent_path());
  return !missing.empty();
}

}  // namespace

WorkFolder::WorkFolder(std::filesystem::path folder, bool remove_folder, const OwnerPace& pace, const StopToken* stop)
    : folder_(std::move(folder)), remove_folder_(remove_folder) {
  remove_folder_ |= make_durably(std::filesystem::absolute(folder_).lexically_normal());
  try {
    lock(pace, stop);
  } catch (...) {
    leave();
    throw;
  }
}

void WorkFolder::lock(const OwnerPace& pace, const StopToken* stop) {
  const std::filesystem::path file = folder_ / lock_name;
  LockedFile locked = open_locked(file);
  if (!locked.is_ours) {
    throw Error(ErrorCode::cannot_create,
                "the work folder '" + folder_.string() + "' is in use by " + holder_of(locked.file),
                "wait for that run to end, or choose another place with --output or --work-dir");
  }
  try {
    owner_ = std::make_unique<Owner>(folder_, locked.is_locked, pace, stop);
  } catch (const Error& error) {
    // Where another run lives nothing is removed, not even the lock's file: it may be that run's.
    if (error.code() == ErrorCode::retry) lock_ = std::move(locked.file);
    throw;
  }
  lock_ = std::move(locked.file);
  is_locked_ = locked.is_locked;
  const std::string name = "process " + std::to_string(::getpid()) + " on " + host_name();
  if (::ftruncate(lock_.get(), 0) != 0) throw_system_error(errno, "write", file, ErrorCode::cannot_create);
  const int failure = lock_.write_at(0, std::as_bytes(std::span(name)));
  if (failure != 0) throw_system_error(failure, "write", file, ErrorCode::cannot_create);
}

void WorkFolder::clear() const noexcept {
  std::error_code ignored;
  // First the journal, so that it never speaks of segments that are gone.
  std::filesystem::remove(folder_ / Journal::file_name, ignored);
  for (std::filesystem::directory_iterator entry(folder_, ignored), end; entry != end; entry.increment(ignored)) {
    if (SegmentStore::is_segment(entry->path().filename().string())) std::filesystem::remove(entry->path(), ignored);
  }
}

void WorkFolder::leave() noexcept {
  if (!lock_.is_open()) return;
  owner_.reset();
  std::error_code ignored;
  std::filesystem::remove(folder_ / lock_name, ignored);
  if (remove_folder_) std::filesystem::remove(folder_, ignored);  // only an empty folder can be removed
  lock_ = FileDescriptor();
}

}  // namespace pleat
