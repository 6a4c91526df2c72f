// Which files of a model's folder hold its weights.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weights/registry.h"

namespace pleat {

struct WeightFiles {
  WeightFormat format = WeightFormat::safetensors;
  std::filesystem::path index;                 // the file that names the others; empty for a single file
  std::vector<std::filesystem::path> files;    // sorted by name; every one is there
  std::map<std::string, std::string> file_of;  // tensor -> file name, from the index; empty for a single file
};

// The names under which a folder, or a repository of the hub, holds its weights: in the order of preference.
struct WeightName {
  const char* name;  // "model.safetensors"
  WeightFormat format;
  bool index;  // a JSON file that names the others
};
[[nodiscard]] std::span<const WeightName> weight_names();

// The first of weight_names() that is there, and where it is an index the files it names. Throws Error(missing_input)
// when weights, or some of the files that the index names, are not there, and Error(bad_input) for a broken index, and
// for one that names files outside the folder.
[[nodiscard]] WeightFiles find_weight_files(const std::filesystem::path& folder);

// The file names in the "weight_map" of an index, by tensor. `origin` is for messages. Throws Error(bad_input).
[[nodiscard]] std::map<std::string, std::string> parse_weight_index(std::string_view text, WeightFormat format,
                                                                    const std::string& origin);

// Says what the folder lacks: config.json, weights, or some of them. Throws as find_weight_files does.
void check_model_folder(const std::filesystem::path& folder);

}  // namespace pleat
