// The folder that holds a run's journal and segments until its file is whole; one run at a time.
#pragma once

#include <filesystem>

#include "core/file_descriptor.h"

namespace pleat {

class WorkFolder {
 public:
  // Makes the folder where needed and locks it. Throws Error(cannot_create), also when a living run uses the folder.
  WorkFolder(std::filesystem::path folder, bool remove_folder);
  ~WorkFolder() { leave(); }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  WorkFolder(WorkFolder&&) = delete;
  WorkFolder& operator=(WorkFolder&&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return folder_; }
  // Removes the journal and the segments; files of others stay.
  void clear() const noexcept;
  // Unlocks it and, when it is empty and was made here or `remove_folder`, removes it.
  void leave() noexcept;

 private:
  void lock();

  std::filesystem::path folder_;
  bool remove_folder_;
  FileDescriptor lock_;
};

}  // namespace pleat
