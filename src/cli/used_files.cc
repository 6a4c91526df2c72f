#include "cli/used_files.h"

#include <algorithm>
#include <system_error>

#include "core/error.h"

namespace pleat::cli {
namespace {

namespace fs = std::filesystem;

// The same for every way to write the path of a file, whether or not it is there. Absolute first: of a relative path
// whose first part is not there weakly_canonical() makes no absolute one.
fs::path place_of(const fs::path& file) {
  std::error_code error;
  const fs::path absolute = fs::absolute(file, error);
  const fs::path place = fs::weakly_canonical(absolute, error);
  return error ? absolute.lexically_normal() : place;
}

}  // namespace

void UsedFiles::read(const fs::path& file) { places_.push_back(place_of(file)); }

void UsedFiles::write(const fs::path& file) {
  fs::path place = place_of(file);
  if (std::ranges::find(places_, place) != places_.end()) {
    throw Error(ErrorCode::cannot_create,
                "'" + file.string() + "' is to be written, and has another part in this command",
                "choose another name for it");
  }
  places_.push_back(std::move(place));
}

}  // namespace pleat::cli
