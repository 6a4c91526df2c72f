#include "journal/disk_room.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <string>
#include <utility>

#include "core/error.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;

// Attributes, groups and the trees of chunks.
constexpr std::int64_t fixed_bytes = 65536;
// Of a record and of a residue, beside texts and numbers.
constexpr std::int64_t record_bytes = 64;
constexpr std::int64_t residue_bytes = 8;

bool are_on_one_disk(const fs::path& first, const fs::path& second) {
  struct stat a {};
  struct stat b {};
  return ::stat(first.c_str(), &a) != 0 || ::stat(second.c_str(), &b) != 0 || a.st_dev == b.st_dev;
}

std::string megabytes(std::uintmax_t bytes) {
  return bytes < 10'000'000 ? fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6)
                            : fmt::format("{} MB", bytes / 1'000'000);
}

void check_place(const fs::path& place, std::int64_t needed, const std::string& what) {
  std::error_code error;
  const fs::space_info space = fs::space(place, error);
  if (error || static_cast<std::uintmax_t>(needed) <= space.available) return;
  throw Error(ErrorCode::retry,
              fmt::format("{} up to {} before they are compressed, and '{}' has {} free", what,
                          megabytes(static_cast<std::uintmax_t>(needed)), place.string(), megabytes(space.available)),
              "make room on that disk, choose another place with --output or --work-dir, or ask for less");
}

}  // namespace

std::int64_t largest_file(const std::vector<Part>& parts, const Dataset& dataset) {
  std::int64_t bytes = fixed_bytes;
  for (std::int64_t row = 0; row < dataset.sequences.size(); ++row) {
    for (const std::uint64_t size : sizes_of(parts, size_of(dataset.sequences, row))) {
      bytes += static_cast<std::int64_t>(size);
    }
    bytes += dataset.sequences.length(row) * residue_bytes;
  }
  for (const Record& record : dataset.records) {
    bytes += record_bytes + std::ssize(record.id) + std::ssize(record.description) + std::ssize(record.message);
  }
  if (dataset.parts) {
    for (const auto& [a, b] : *dataset.parts) bytes += record_bytes + std::ssize(a) + std::ssize(b);
  }
  return bytes + bytes / 1000;  // what deflate adds to what it cannot make smaller
}

DiskRoom::DiskRoom(fs::path work_folder, const fs::path& output)
    : work_folder_(std::move(work_folder)),
      output_folder_(output.has_parent_path() ? output.parent_path() : fs::path(".")),
      one_disk_(are_on_one_disk(work_folder_, output_folder_)) {}

void DiskRoom::check(const BytesToCome& to_come) const {
  if (one_disk_) {
    return check_place(work_folder_, to_come.segments + to_come.file,
                       "the results in the work folder and the file beside them take");
  }
  check_place(work_folder_, to_come.segments, "the results in the work folder take");
  check_place(output_folder_, to_come.file, "the results in the file take");
}

}  // namespace pleat
