// From one YAML value to one field of the Manifest, checked against its row of the table.
#pragma once

#include <yaml-cpp/yaml.h>

#include <string>
#include <string_view>

#include "core/error.h"
#include "manifest/keys.h"

namespace pleat {

// What is being read, for messages.
struct Origin {
  std::string name;       // the file, or the whole override: "--set run.devices=cpu"
  bool is_file = true;    // an override is short enough to need no line and column
  std::string text = {};  // of the file

  // "m.yaml:3:14", or the override.
  [[nodiscard]] std::string at(const YAML::Mark& mark) const;
};

// A value and where to point when it is wrong; `fallback` serves a value that is not there ("model:").
struct Place {
  const YAML::Node& node;
  const Origin& origin;
  YAML::Mark fallback;

  [[nodiscard]] std::string text() const { return origin.at(node.IsNull() ? fallback : node.Mark()); }
};

// "<place>: '<path>' is <what was found>, but must be <type>".
[[nodiscard]] Error wrong_value(const Key& key, const Place& place);

// Reads a value that is not a map into its field. Throws Error(bad_manifest).
void read_value(const Key& key, const Place& place, Manifest& manifest);

}  // namespace pleat
