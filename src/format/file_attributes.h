// What a result file says of the run that made it.
#pragma once

#include <string>

namespace pleat {

// The attributes of "/" beside format, schema_version and complete.
struct FileAttributes {
  std::string pleat_version;
  std::string created_utc;         // ISO 8601, "2025-01-31T12:00:00Z"
  std::string manifest_yaml;       // as it was read
  std::string manifest_overrides;  // applied after it: "key=value", one a line
  std::string manifest_sha256;
  std::string inputs_sha256;  // Dataset::sha256
  std::string model_name;
  std::string model_sha256;
  std::string precision;
  std::string devices;
  std::string source_revision;
  bool untrained = false;  // the weights are not trained; written as attribute "untrained_weights" with a sentence
};

}  // namespace pleat
