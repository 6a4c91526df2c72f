// The manifest's YAML, and the overrides after it, walked along the table of keys.
#pragma once

#include <yaml-cpp/yaml.h>

#include <map>
#include <string>
#include <string_view>

#include "manifest/keys.h"
#include "manifest/values.h"

namespace pleat {

class ManifestReader {
 public:
  explicit ManifestReader(std::string file) : file_{std::move(file), true} {}

  // Each throws Error(bad_manifest) with its position.
  void read_file(const std::string& text);
  // "a.b=c". A map replaces all that stood below its key. Throws Error(usage) when there is no key or no "=".
  void read_override(const std::string& assignment);
  // What no single key can tell: required keys, and whether there is anything to do.
  [[nodiscard]] Manifest finish();

 private:
  void read_key(const Key& key, const Place& place);
  void read_map(std::string_view section, const Place& place);
  void forget(std::string_view section);
  // What of `pairs` goes together.
  void check_pairs() const;
  [[nodiscard]] std::string where(const std::string& path) const;

  Origin file_;
  Manifest manifest_;
  std::map<std::string, std::string, std::less<>> set_at_;  // each key that was given -> the last place that did
};

}  // namespace pleat
