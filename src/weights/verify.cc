#include "weights/verify.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/sha256.h"
#include "weights/checkpoint.h"
#include "weights/config.h"
#include "weights/content_hash.h"
#include "weights/hub_environment.h"
#include "weights/registry.h"
#include "weights/weight_files.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;

// The hash that a cache gives a file by naming its blob; empty outside a cache.
std::string blob_hash(const fs::path& file) {
  std::error_code failed;
  const fs::path real = fs::canonical(file, failed);
  if (failed || real.parent_path().filename() != "blobs") return {};
  const std::string name = real.filename().string();
  return (name.size() == 40 || name.size() == 64) && is_hexadecimal(name) ? name : std::string();
}

// Whether the registry's hash is about this file: in a cache only where the snapshot is of the registry's commit.
bool is_published_file(const fs::path& file, const ModelEntry* entry) {
  if (entry == nullptr || entry->weights_sha256.empty() || file.filename() != "model.safetensors") return false;
  const std::string folder = file.parent_path().filename().string();
  return !is_commit(folder) || folder == entry->revision;
}

VerifiedFile verify_file(const fs::path& file, const ModelEntry* entry) {
  using Verdict = VerifiedFile::Verdict;
  VerifiedFile result{.name = file.filename().string(), .bytes = fs::file_size(file), .sha256 = sha256_of_file(file)};
  const auto judge = [&result](bool right) {
    if (result.verdict != Verdict::mismatch) result.verdict = right ? Verdict::match : Verdict::mismatch;
  };
  const std::string blob = blob_hash(file);
  if (blob.size() == 64) judge(blob == result.sha256);
  if (blob.size() == 40) judge(blob == content_hash(file, blob));
  if (is_published_file(file, entry)) judge(entry->weights_sha256 == result.sha256);
  return result;
}

// Runs a check whose Error is a problem of the model.
template <typename Check>
void note_problem(VerifyReport& report, const Check& check) {
  try {
    check();
  } catch (const Error& error) {
    report.problems.emplace_back(error.what());
  }
}

std::vector<fs::path> files_of(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const char* const name : {"config.json", "vocab.txt"}) {
    std::error_code ignored;
    if (fs::is_regular_file(folder / name, ignored)) files.push_back(folder / name);
  }
  const WeightFiles weights = find_weight_files(folder);
  if (!weights.index.empty()) files.push_back(weights.index);
  files.insert(files.end(), weights.files.begin(), weights.files.end());
  return files;
}

}  // namespace

VerifyReport verify_model(const fs::path& folder, const ModelEntry* entry) {
  check_model_folder(folder);
  VerifyReport report;
  report.folder = folder;
  for (const fs::path& file : files_of(folder)) {
    note_problem(report, [&] {
      report.files.push_back(verify_file(file, entry));
      const VerifiedFile& last = report.files.back();
      if (last.verdict == VerifiedFile::Verdict::mismatch) {
        report.problems.push_back("'" + file.string() + "' does not have the hash it should have");
      }
    });
  }
  note_problem(report, [&] { static_cast<void>(load_model_config(folder)); });
  note_problem(report, [&] { report.tensors = Checkpoint::open(folder).tensors().size(); });
  return report;
}

}  // namespace pleat
