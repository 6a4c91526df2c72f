#include "weights/checkpoint.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/sha256.h"
#include "weights/safetensors.h"
#include "weights/sample_hash.h"
#include "weights/strict_json.h"
#include "weights/torch_zip.h"
#include "weights/weight_files.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;

// The index and the files it names must tell the same story.
void check_against_index(const std::map<std::string, TensorView>& tensors, const std::string& file,
                         const std::map<std::string, std::string>& file_of, const fs::path& folder) {
  const std::string origin = "'" + (folder / file).string() + "'";
  for (const auto& [tensor, named] : file_of) {
    if (named == file && !tensors.contains(tensor)) {
      throw Error(ErrorCode::bad_input,
                  origin + " lacks tensor " + in_quotes(tensor) + ", which the index says it holds",
                  "the files are from different downloads or damaged; fetch the model again");
    }
  }
  for (const auto& [tensor, view] : tensors) {
    const auto named = file_of.find(tensor);
    if (named == file_of.end() || named->second != file) {
      throw Error(ErrorCode::bad_input,
                  origin + " holds tensor " + in_quotes(tensor) + ", which the index does not say",
                  "the files are from different downloads or damaged; fetch the model again");
    }
  }
}

}  // namespace

Checkpoint::Checkpoint() = default;
Checkpoint::~Checkpoint() = default;
Checkpoint::Checkpoint(Checkpoint&&) noexcept = default;
Checkpoint& Checkpoint::operator=(Checkpoint&&) noexcept = default;

Checkpoint Checkpoint::open(const fs::path& folder) {
  WeightFiles found = find_weight_files(folder);
  Checkpoint checkpoint;
  checkpoint.folder_ = folder;
  checkpoint.files_ = std::move(found.files);
  for (const fs::path& file : checkpoint.files_) {
    auto map = std::make_unique<MappedFile>(file);
    const bool safetensors = found.format == WeightFormat::safetensors;
    std::map<std::string, TensorView> tensors =
        safetensors ? parse_safetensors(map->bytes(), file) : parse_torch_zip(map->bytes(), file);
    // A zip archive's headers lie all over the file.
    if (!safetensors) map->drop_pages(0, map->bytes().size());
    if (!found.file_of.empty()) check_against_index(tensors, file.filename().string(), found.file_of, folder);
    checkpoint.tensors_.merge(tensors);
    checkpoint.maps_.push_back(std::move(map));
  }
  return checkpoint;
}

void Checkpoint::read(std::span<const std::byte> part, std::span<std::byte> to) const {
  for (const auto& map : maps_) {
    const std::span<const std::byte> bytes = map->bytes();
    const std::less_equal<const std::byte*> not_after;
    if (not_after(bytes.data(), part.data()) && not_after(part.data() + part.size(), bytes.data() + bytes.size())) {
      map->read_at(static_cast<std::size_t>(part.data() - bytes.data()), to);
      return;
    }
  }
  throw Error(ErrorCode::internal, "bytes that are not of a checkpoint's tensor are read from it");
}

void Checkpoint::throw_if_changed() const {
  for (const auto& map : maps_) map->throw_if_changed();
}

std::vector<fs::path> Checkpoint::files_to_hash() const {
  std::vector<fs::path> files = files_;
  files.push_back(folder_ / "config.json");
  std::ranges::sort(files, {}, [](const fs::path& file) { return file.filename().string(); });
  return files;
}

std::string Checkpoint::sample() const {
  Sha256 hash;
  for (const fs::path& file : files_to_hash()) hash.update(file.filename().string() + " " + sample_hash(file) + "\n");
  return hash.finish();
}

std::string Checkpoint::sha256(const StopToken* stop) const {
  Sha256 hash;
  for (const fs::path& file : files_to_hash()) {
    hash.update(file.filename().string() + " " + sha256_of_file(file, stop) + "\n");
  }
  return hash.finish();
}

}  // namespace pleat
