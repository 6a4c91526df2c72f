// Downloads a published model from the Hugging Face hub, or from a mirror that speaks its protocol.
//
// The environment is that of the hub's Python client: HF_ENDPOINT (default https://huggingface.co), HF_TOKEN (or the
// file HF_TOKEN_PATH, $HF_HOME/token), HF_HOME, HF_HUB_CACHE, HF_HUB_OFFLINE.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "core/stop.h"

namespace pleat {

struct FetchProgress {
  enum class Phase : std::uint8_t { waiting, downloading, retrying, checking, done, present };
  Phase phase = Phase::downloading;
  std::string file;
  std::uint64_t bytes = 0;  // already on this machine
  std::uint64_t total = 0;  // 0 where the server does not say
  std::string note;         // why the transfer is tried again
};

struct FetchOptions {
  std::string revision;          // a branch, tag or commit; empty for the registry's
  std::filesystem::path output;  // a folder for plain files; empty for the Hugging Face cache
  std::function<void(const FetchProgress&)> progress;
  const StopToken* stop = nullptr;  // may be null
};

struct FetchResult {
  std::filesystem::path folder;  // holds config.json and the weights
  std::string commit;
  std::uint64_t downloaded = 0;  // bytes that came over the network this time
};

// Fetches config.json, the tokenizer's files where there are any, and the weights of the registry's model `name`:
// safetensors, or pytorch_model.bin where the repository has nothing else, whole or sharded. A file appears under its
// final name only when it is whole and its hash is right; what is already there is not fetched again; a partial file
// is continued.
// Throws Error(missing_input): no such model, revision or file, or no access; bad_input: a wrong hash, or an answer
// that is not the hub's; usage: HF_HUB_OFFLINE is set; retry: no network, a server's failure, or a full disk. Throws
// Stopped; the same call then goes on with what has come.
FetchResult fetch_model(const std::string& name, const FetchOptions& options);

}  // namespace pleat
