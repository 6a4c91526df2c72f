// The folder that holds a run's journal and segments until its file is whole; one run at a time.
#pragma once

#include <filesystem>
#include <memory>

#include "core/file_descriptor.h"
#include "core/stop.h"
#include "journal/owner.h"

namespace pleat {

class WorkFolder {
 public:
  // Makes the folder where needed, locks it, and writes down who owns it. Throws Error(cannot_create), also when a
  // living run uses the folder, Error(retry) when the disk is full, and Stopped.
  WorkFolder(std::filesystem::path folder, bool remove_folder, const OwnerPace& pace, const StopToken* stop);
  ~WorkFolder() { leave(); }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  WorkFolder(WorkFolder&&) = delete;
  WorkFolder& operator=(WorkFolder&&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return folder_; }
  // Whether it could be locked; some file systems have no locks.
  [[nodiscard]] bool is_locked() const { return is_locked_; }
  // Throws Error(cannot_create) once another run has taken the folder over.
  void throw_if_replaced() const { owner_->throw_if_replaced(); }
  // Removes the journal and the segments; files of others stay.
  void clear() const noexcept;
  // Unlocks it and, when it is empty and was made here or `remove_folder`, removes it.
  void leave() noexcept;

 private:
  void lock(const OwnerPace& pace, const StopToken* stop);

  std::filesystem::path folder_;
  bool remove_folder_;
  FileDescriptor lock_;
  bool is_locked_ = false;
  std::unique_ptr<Owner> owner_;
};

}  // namespace pleat
