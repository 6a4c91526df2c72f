// Whether the disks hold what a run is going to write.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "format/record_parts.h"
#include "sequence/dataset.h"

namespace pleat {

// What a result file takes at the most: numbers that cannot be compressed, and its tables.
[[nodiscard]] std::int64_t largest_file(const std::vector<Part>& parts, const Dataset& dataset);

// What is still to be written.
struct BytesToCome {
  std::int64_t segments = 0;
  std::int64_t file = 0;
};

class DiskRoom {
 public:
  DiskRoom(std::filesystem::path work_folder, const std::filesystem::path& output);

  // Throws Error(retry) when a disk has no room for what is to come; on one disk segments and file lie side by side.
  // Where a file system does not say what is free, there is room.
  void check(const BytesToCome& to_come) const;

 private:
  std::filesystem::path work_folder_;
  std::filesystem::path output_folder_;
  bool one_disk_ = true;
};

}  // namespace pleat
