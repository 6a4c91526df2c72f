// The folder that holds a run's segments while it runs; one run at a time.
#pragma once

#include <filesystem>

#include "pleat/core/file_descriptor.h"

namespace pleat {

class WorkFolder {
 public:
  // Makes the folder where needed and locks it. Segments left by a run that died are removed; other files stay.
  // Throws Error(cannot_create), also when a living run uses the folder.
  WorkFolder(std::filesystem::path folder, bool remove_folder);
  ~WorkFolder() { remove(); }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  WorkFolder(WorkFolder&&) = delete;
  WorkFolder& operator=(WorkFolder&&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return folder_; }
  // Removes the segments and the lock, and the folder if it was made here or `remove_folder`, and is empty.
  void remove() noexcept;

 private:
  void lock();
  void remove_segments() const noexcept;

  std::filesystem::path folder_;
  bool remove_folder_;
  FileDescriptor lock_;
};

}  // namespace pleat
