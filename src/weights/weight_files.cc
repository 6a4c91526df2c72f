#include "weights/weight_files.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "core/error.h"
#include "weights/strict_json.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t max_index_bytes = 100'000'000;

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

// A name that stays in the folder: no path, nothing hidden.
bool is_plain_name(std::string_view name) {
  return name.size() <= 255 && !name.empty() && !name.starts_with('.') && std::ranges::none_of(name, [](char letter) {
           return letter == '/' || letter == '\\' || static_cast<unsigned char>(letter) < 0x20;
         });
}

constexpr std::array<WeightName, 4> names{{
    {"model.safetensors", WeightFormat::safetensors, false},
    {"model.safetensors.index.json", WeightFormat::safetensors, true},
    {"pytorch_model.bin", WeightFormat::pytorch, false},
    {"pytorch_model.bin.index.json", WeightFormat::pytorch, true},
}};

[[noreturn]] void refuse_empty(const fs::path& folder) {
  std::error_code ignored;
  const bool there = fs::is_directory(folder, ignored);
  throw Error(ErrorCode::missing_input,
              "'" + folder.string() + "' " +
                  (there ? "has neither model.safetensors nor pytorch_model.bin, and no index (.index.json) of either"
                         : "is not a folder"),
              "give a folder with config.json and weights, or a name that 'pleat model list' shows");
}

}  // namespace

std::span<const WeightName> weight_names() { return names; }

std::map<std::string, std::string> parse_weight_index(std::string_view text, WeightFormat format,
                                                      const std::string& origin) {
  const bool safetensors = format == WeightFormat::safetensors;
  const nlohmann::json index = parse_strict_json(text, origin);
  const auto map = index.is_object() ? index.find("weight_map") : index.end();
  if (map == index.end() || !map->is_object() || map->empty()) {
    throw Error(ErrorCode::bad_input, origin + ": no weight_map that says which file holds which tensor");
  }
  std::map<std::string, std::string> file_of;
  for (const auto& [tensor, file] : map->items()) {
    if (!file.is_string() || !is_plain_name(file.get_ref<const std::string&>()) ||
        !file.get_ref<const std::string&>().ends_with(safetensors ? ".safetensors" : ".bin")) {
      throw Error(ErrorCode::bad_input, origin + ": tensor " + in_quotes(tensor) + " is said to be in " +
                                            in_quotes(file.dump()) + ", which is no " +
                                            (safetensors ? "safetensors" : "PyTorch") + " file of this folder");
    }
    file_of.emplace(tensor, file.get<std::string>());
  }
  return file_of;
}

WeightFiles find_weight_files(const fs::path& folder) {
  const auto* const found =
      std::ranges::find_if(names, [&folder](const WeightName& weights) { return is_file(folder / weights.name); });
  if (found == names.end()) refuse_empty(folder);
  const fs::path path = folder / found->name;
  WeightFiles weights{.format = found->format, .index = {}, .files = {path}, .file_of = {}};
  if (!found->index) return weights;

  weights.index = path;
  weights.file_of =
      parse_weight_index(read_small_text_file(path, max_index_bytes), found->format, "'" + path.string() + "'");
  std::set<std::string> files;
  for (const auto& [tensor, file] : weights.file_of) files.insert(file);
  weights.files.clear();
  std::string missing;
  for (const std::string& file : files) {
    weights.files.push_back(folder / file);
    if (!is_file(weights.files.back())) missing += (missing.empty() ? "'" : ", '") + file + "'";
  }
  if (!missing.empty()) {
    throw Error(ErrorCode::missing_input, "'" + folder.string() + "' is not complete: " + missing + " missing",
                "fetch the model again; what is already there is not fetched twice");
  }
  return weights;
}

void check_model_folder(const fs::path& folder) {
  if (!is_file(folder / "config.json")) {
    throw Error(ErrorCode::missing_input, "'" + folder.string() + "' has no config.json",
                "a model's folder holds config.json beside the weights");
  }
  static_cast<void>(find_weight_files(folder));
}

}  // namespace pleat
