#include "weights/locate.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "core/error.h"
#include "weights/hub_environment.h"
#include "weights/registry.h"
#include "weights/strict_json.h"
#include "weights/weight_files.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

std::string first_line(const fs::path& file) {
  try {
    const std::string text = read_small_text_file(file, 1000);
    return text.substr(0, text.find_first_of("\r\n"));
  } catch (const Error&) {
    return {};  // a ref that cannot be read names nothing
  }
}

// The commits a cached repository holds under a name, the likeliest first.
std::vector<std::string> candidate_commits(const fs::path& repository, const ModelEntry& entry) {
  std::vector<std::string> commits{std::string(entry.revision), first_line(repository / "refs" / "main")};
  std::vector<fs::path> others;
  std::error_code ended;
  const fs::path refs = repository / "refs";
  for (auto it = fs::recursive_directory_iterator(refs, fs::directory_options::skip_permission_denied, ended);
       !ended && it != fs::recursive_directory_iterator(); it.increment(ended)) {
    std::error_code ignored;
    if (it->is_regular_file(ignored)) others.push_back(it->path());
  }
  std::ranges::sort(others);
  for (const fs::path& ref : others) commits.push_back(first_line(ref));
  return commits;
}

// The places looked at, and why each was no good.
class Search {
 public:
  // True when the folder is a whole model.
  bool try_folder(const fs::path& folder) {
    if (!is_folder(folder)) return false;
    try {
      check_model_folder(folder);
      return true;
    } catch (const Error& error) {
      std::string reason = error.what();
      if (std::ranges::find(reasons_, reason) == reasons_.end()) reasons_.push_back(std::move(reason));
      return false;
    }
  }

  std::optional<fs::path> try_cache(const fs::path& cache, const ModelEntry& entry) {
    const fs::path repository = cache / hub_folder_name(entry.repository);
    if (!is_folder(repository)) return std::nullopt;
    for (const std::string& commit : candidate_commits(repository, entry)) {
      if (!is_commit(commit)) continue;
      if (fs::path snapshot = repository / "snapshots" / commit; try_folder(snapshot)) return snapshot;
    }
    return std::nullopt;
  }

  void add_place(const fs::path& place) { places_.push_back(place.string()); }

  [[noreturn]] void give_up(const ModelEntry& entry) const {
    const std::string name(entry.name);
    std::string what = "the weights of " + name + " are not on this machine; looked in ";
    for (std::size_t i = 0; i < places_.size(); ++i) what += (i == 0 ? "'" : ", '") + places_[i] + "'";
    for (const std::string& reason : reasons_) what += "; " + reason;
    throw Error(ErrorCode::missing_input, what,
                "'pleat model fetch " + name +
                    "' fetches them; for a machine without a network run 'pleat model fetch " + name +
                    " --output DIR' elsewhere, copy DIR here and give its path as the model");
  }

 private:
  std::vector<std::string> places_;
  std::vector<std::string> reasons_;
};

fs::path locate_by_name(const ModelEntry& entry) {
  Search search;
  const fs::path models = environment("PLEAT_MODELS").value_or("/models");
  search.add_place(models);
  if (search.try_folder(models / entry.name)) return models / entry.name;
  // A cache may have been copied there with or without its "hub" level.
  for (const fs::path& cache : {models, models / "hub"}) {
    if (auto found = search.try_cache(cache, entry)) return *found;
  }
  if (const std::optional<fs::path> cache = hub_cache_folder()) {
    search.add_place(*cache);
    if (auto found = search.try_cache(*cache, entry)) return *found;
  }
  search.give_up(entry);
}

}  // namespace

fs::path locate_model(const std::string& model, const fs::path& base) {
  if (model.empty()) throw Error(ErrorCode::missing_input, "the model's name is empty");
  fs::path folder = base / model;
  const ModelEntry* const entry = find_model(model);
  // A folder wins over a name of the same spelling, unless it is no model's.
  if (is_folder(folder)) {
    try {
      check_model_folder(folder);
      return folder;
    } catch (const Error&) {
      if (entry == nullptr) throw;
    }
  }
  if (entry == nullptr) {
    const std::string meant = nearest_model(model);
    throw Error(
        ErrorCode::missing_input, in_quotes(model) + " is neither a folder nor a published model's name",
        meant.empty() ? "give a folder, or a name that 'pleat model list' shows" : "did you mean '" + meant + "'?");
  }
  return locate_by_name(*entry);
}

}  // namespace pleat
