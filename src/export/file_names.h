// File names for records, whose ids may be anything.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace pleat {

// A name that every file system takes: letters, digits, '.', '_' and '-', at most 80 of them, none of the words that
// Windows keeps for devices. Runs of other characters become one '_'; never empty.
[[nodiscard]] std::string safe_name(std::string_view id);

// Hands out one name per record. No two are alike, capital letters or not: later ones get a suffix such as "_2".
// The same ids in the same order always get the same names.
class FileNames {
 public:
  [[nodiscard]] std::string next(std::string_view id);

 private:
  std::unordered_set<std::string> taken_;                      // in lower case
  std::unordered_map<std::string, std::int64_t> last_suffix_;  // of each name in lower case that was asked for
};

}  // namespace pleat
