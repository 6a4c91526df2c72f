// Checks a model on this machine: hashes, headers, config.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace pleat {

struct ModelEntry;

struct VerifiedFile {
  // unknown: nothing says which hash is right.
  enum class Verdict : std::uint8_t { match, mismatch, unknown };
  std::string name;
  std::uint64_t bytes = 0;
  std::string sha256;
  Verdict verdict = Verdict::unknown;
};

struct VerifyReport {
  std::filesystem::path folder;
  std::vector<VerifiedFile> files;
  std::size_t tensors = 0;
  std::vector<std::string> problems;  // empty where all is well
};

// Reads every byte of config.json, vocab.txt, the index and the weights. In a Hugging Face cache the expected hash is
// the name of the blob that a file points to; `entry`, where not null, adds the published hash of the weights.
// A damaged file is a problem in the report. Throws Error(missing_input) where the folder is no model's.
[[nodiscard]] VerifyReport verify_model(const std::filesystem::path& folder, const ModelEntry* entry);

}  // namespace pleat
