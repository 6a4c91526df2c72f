#include "hub/fetch.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/ascii.h"
#include "core/error.h"
#include "core/file.h"
#include "hub/fetch_target.h"
#include "hub/hub_client.h"
#include "hub/retry.h"
#include "weights/hub_environment.h"
#include "weights/registry.h"
#include "weights/strict_json.h"
#include "weights/weight_files.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t max_small_bytes = 100'000'000;

// Files that pleat, or Python beside it, wants where the repository has them.
constexpr std::array<const char*, 3> optional_files{"vocab.txt", "tokenizer_config.json", "special_tokens_map.json"};

std::string offline_recipe(const std::string& name) {
  return "check the network, https_proxy and HF_ENDPOINT; for a machine without a network run 'pleat model fetch " +
         name + " --output DIR' elsewhere, copy DIR here and give its path as the model";
}

void check_revision(const std::string& revision) {
  const bool letters = std::ranges::all_of(revision, [](char letter) {
    return is_letter(letter) || is_digit(letter) || letter == '-' || letter == '_' || letter == '.' || letter == '/';
  });
  const bool path = revision.starts_with('/') || revision.ends_with('/') || revision.find("//") != std::string::npos ||
                    ("/" + revision).find("/.") != std::string::npos;
  if (!letters || path || revision.size() > 200) {
    throw Error(ErrorCode::usage, in_quotes(revision) + " is no revision", "give a branch, a tag or a commit");
  }
}

class Fetch {
 public:
  Fetch(const ModelEntry& entry, const FetchOptions& options)
      : entry_(entry),
        options_(options),
        revision_(options.revision.empty() ? std::string(entry.revision) : options.revision),
        hub_(hub_endpoint(), hub_token(), std::string(entry.repository), options.stop),
        retry_([this](const std::string& why) { report(FetchProgress::Phase::retrying, 0, why); },
               offline_recipe(std::string(entry.name)), options.stop) {}

  FetchResult run() {
    check_revision(revision_);
    const RemoteFile config = require("config.json", revision_);
    commit_ = config.commit;
    if (is_commit(revision_) && commit_ != revision_) {
      throw Error(ErrorCode::bad_input, "the hub gives commit " + commit_ + " where " + revision_ + " was asked for",
                  "check HF_ENDPOINT");
    }
    const auto [weights, kind] = describe_weights();
    target_ = make_fetch_target(std::string(entry_.repository), commit_, options_.output);
    get(config);
    for (const char* const name : optional_files) {
      if (const std::optional<RemoteFile> file = describe(name, commit_)) get(*file);
    }
    get(weights);
    if (kind.index) get_shards(weights, kind.format);
    target_->finish(revision_);
    return {.folder = target_->folder(), .commit = commit_, .downloaded = downloaded_};
  }

 private:
  std::optional<RemoteFile> describe(const std::string& name, const std::string& revision) {
    file_ = name;
    total_ = 0;
    std::optional<RemoteFile> file = with_retries(retry_, [&] { return hub_.describe(revision, name); });
    retry_.forget();
    if (file && !commit_.empty() && file->commit != commit_) {
      throw Error(ErrorCode::bad_input, in_quotes(name) + " is of commit " + file->commit + ", not of " + commit_,
                  "check HF_ENDPOINT");
    }
    return file;
  }

  RemoteFile require(const std::string& name, const std::string& revision) {
    if (std::optional<RemoteFile> file = describe(name, revision)) return *std::move(file);
    throw Error(
        ErrorCode::missing_input,
        "'" + std::string(entry_.repository) + "' has no " + in_quotes(name) + " at revision " + in_quotes(revision),
        "check --revision and HF_ENDPOINT");
  }

  // The weights that the repository has, the preferred ones where there are several kinds.
  std::pair<RemoteFile, WeightName> describe_weights() {
    for (const WeightName& weights : weight_names()) {
      if (std::optional<RemoteFile> file = describe(weights.name, commit_)) {
        check_published_hash(*file);
        return {*std::move(file), weights};
      }
    }
    throw Error(ErrorCode::missing_input,
                "'" + std::string(entry_.repository) +
                    "' has neither model.safetensors nor pytorch_model.bin, and no index of either, at revision " +
                    in_quotes(revision_),
                "check --revision and HF_ENDPOINT");
  }

  // The published commit has published content, whatever a mirror says.
  void check_published_hash(const RemoteFile& file) const {
    if (commit_ != entry_.revision || entry_.weights_sha256.empty() || file.name != "model.safetensors") return;
    if (file.hash == entry_.weights_sha256) return;
    throw Error(ErrorCode::bad_input,
                in_quotes(file.name) + " is offered with the hash " + file.hash + ", but the published one has " +
                    std::string(entry_.weights_sha256),
                "check HF_ENDPOINT: the mirror has changed the model");
  }

  void get(const RemoteFile& file) {
    file_ = file.name;
    total_ = file.size.value_or(0);
    const FetchEvents events{
        .waiting = [this] { report(FetchProgress::Phase::waiting, 0); },
        .progress = [this](std::uint64_t bytes) { report(FetchProgress::Phase::downloading, bytes); },
        .checking = [this] { report(FetchProgress::Phase::checking, total_); },
        .stop = options_.stop,
    };
    const std::optional<std::uint64_t> came = target_->get(hub_, file, retry_, events);
    downloaded_ += came.value_or(0);
    report(came ? FetchProgress::Phase::done : FetchProgress::Phase::present, total_);
  }

  void get_shards(const RemoteFile& index, WeightFormat format) {
    const fs::path path = target_->folder() / index.name;
    const auto file_of =
        parse_weight_index(read_small_text_file(path, max_small_bytes), format, "'" + path.string() + "'");
    std::set<std::string> names;
    for (const auto& [tensor, name] : file_of) names.insert(name);
    for (const std::string& name : names) get(require(name, commit_));
  }

  void report(FetchProgress::Phase phase, std::uint64_t bytes, const std::string& note = {}) const {
    if (!options_.progress) return;
    options_.progress({.phase = phase, .file = file_, .bytes = bytes, .total = total_, .note = note});
  }

  const ModelEntry& entry_;
  const FetchOptions& options_;
  std::string revision_;
  HubClient hub_;
  Retry retry_;
  std::unique_ptr<FetchTarget> target_;
  std::string commit_;
  std::string file_;         // the one at work
  std::uint64_t total_ = 0;  // its size
  std::uint64_t downloaded_ = 0;
};

}  // namespace

FetchResult fetch_model(const std::string& name, const FetchOptions& options) {
  const ModelEntry& entry = require_model(name);
  if (hub_is_offline()) {
    throw Error(ErrorCode::usage, "HF_HUB_OFFLINE is set, so nothing is fetched",
                "unset it, or run 'pleat model fetch " + std::string(entry.name) +
                    " --output DIR' on a machine with a network, copy DIR here and give its path as the model");
  }
  return Fetch(entry, options).run();
}

}  // namespace pleat
