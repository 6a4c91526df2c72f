// Which files of a model's folder hold its weights.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace pleat {

struct WeightFiles {
  std::vector<std::filesystem::path> files;    // sorted by name; every one is there
  std::map<std::string, std::string> file_of;  // tensor -> file name, from the index; empty for a single file
};

// Reads model.safetensors.index.json where there is no model.safetensors. Throws Error(missing_input) when weights,
// or some of the files that the index names, are not there, and Error(bad_input) for a broken index, for one that
// names files outside the folder, and for a folder that only has pytorch_model.bin.
[[nodiscard]] WeightFiles find_weight_files(const std::filesystem::path& folder);

// The file names in the "weight_map" of an index, by tensor. `origin` is for messages. Throws Error(bad_input).
[[nodiscard]] std::map<std::string, std::string> parse_weight_index(std::string_view text, const std::string& origin);

// Says what the folder lacks: config.json, weights, or some of them. Throws as find_weight_files does.
void check_model_folder(const std::filesystem::path& folder);

}  // namespace pleat
