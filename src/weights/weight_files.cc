#include "weight_files.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "pleat/core/error.h"
#include "strict_json.h"

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

[[noreturn]] void refuse_pytorch(const fs::path& folder) {
  throw Error(ErrorCode::bad_input,
              "'" + folder.string() + "' holds its weights as pytorch_model.bin, which this version does not read",
              "save them as safetensors with Python: transformers' AutoModelForMaskedLM.from_pretrained(FOLDER)"
              ".save_pretrained(NEW_FOLDER) writes model.safetensors");
}

[[noreturn]] void refuse_empty(const fs::path& folder) {
  std::error_code ignored;
  const bool there = fs::is_directory(folder, ignored);
  throw Error(ErrorCode::missing_input,
              "'" + folder.string() + "' " +
                  (there ? "has neither model.safetensors nor model.safetensors.index.json" : "is not a folder"),
              "give a folder with config.json and weights, or a name that 'pleat model list' shows");
}

}  // namespace

std::map<std::string, std::string> parse_weight_index(std::string_view text, const std::string& origin) {
  const nlohmann::json index = parse_strict_json(text, origin);
  const auto map = index.is_object() ? index.find("weight_map") : index.end();
  if (map == index.end() || !map->is_object() || map->empty()) {
    throw Error(ErrorCode::bad_input, origin + ": no weight_map that says which file holds which tensor");
  }
  std::map<std::string, std::string> file_of;
  for (const auto& [tensor, file] : map->items()) {
    if (!file.is_string() || !is_plain_name(file.get_ref<const std::string&>()) ||
        !file.get_ref<const std::string&>().ends_with(".safetensors")) {
      throw Error(ErrorCode::bad_input, origin + ": tensor " + in_quotes(tensor) + " is said to be in " +
                                            in_quotes(file.dump()) + ", which is no safetensors file of this folder");
    }
    file_of.emplace(tensor, file.get<std::string>());
  }
  return file_of;
}

WeightFiles find_weight_files(const fs::path& folder) {
  if (is_file(folder / "model.safetensors")) return {.files = {folder / "model.safetensors"}, .file_of = {}};
  const fs::path index = folder / "model.safetensors.index.json";
  if (!is_file(index)) {
    if (is_file(folder / "pytorch_model.bin") || is_file(folder / "pytorch_model.bin.index.json")) {
      refuse_pytorch(folder);
    }
    refuse_empty(folder);
  }
  WeightFiles found;
  found.file_of = parse_weight_index(read_small_text_file(index, max_index_bytes), "'" + index.string() + "'");
  std::set<std::string> names;
  for (const auto& [tensor, file] : found.file_of) names.insert(file);
  std::string missing;
  for (const std::string& name : names) {
    found.files.push_back(folder / name);
    if (!is_file(found.files.back())) missing += (missing.empty() ? "'" : ", '") + name + "'";
  }
  if (!missing.empty()) {
    throw Error(ErrorCode::missing_input, "'" + folder.string() + "' is not complete: " + missing + " missing",
                "fetch the model again; what is already there is not fetched twice");
  }
  return found;
}

void check_model_folder(const fs::path& folder) {
  if (!is_file(folder / "config.json")) {
    throw Error(ErrorCode::missing_input, "'" + folder.string() + "' has no config.json",
                "a model's folder holds config.json beside the weights");
  }
  static_cast<void>(find_weight_files(folder));
}

}  // namespace pleat
