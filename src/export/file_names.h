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

// Hands out names of which no two are alike: later ones get a suffix such as "_2". The same names in the same order
// always come out the same.
class UniqueNames {
 public:
  [[nodiscard]] std::string next(const std::string& name) { return next(name, name); }
  // Names are alike where their `key` is, such as the name in lower case.
  [[nodiscard]] std::string next(const std::string& name, const std::string& key);

 private:
  std::unordered_set<std::string> taken_;                      // keys
  std::unordered_map<std::string, std::int64_t> last_suffix_;  // of each key that was asked for
};

// Hands out one file name per record. No two are alike, capital letters or not.
class FileNames {
 public:
  [[nodiscard]] std::string next(std::string_view id);

 private:
  UniqueNames names_;
};

}  // namespace pleat
