#include "weights/torch_zip.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "core/text.h"
#include "weights/byte_reader.h"
#include "weights/refusal.h"
#include "weights/strict_json.h"
#include "weights/tensor_pickle.h"
#include "weights/zip_archive.h"

namespace pleat {
namespace {

using Archive = std::map<std::string, std::span<const std::byte>>;

std::string_view as_text(std::span<const std::byte> bytes) { return ByteReader(bytes).text(bytes.size()); }

// Says what a file that is no zip archive is.
void check_container(std::string_view text, const Refusal& refuse) {
  if (text.starts_with("PK")) return;
  if (text.empty()) refuse("the file is empty");
  if (text.starts_with('\x80')) refuse("it is in the format that torch.save wrote before PyTorch 1.6");
  if (text.starts_with("version https://git-lfs")) {
    refuse("it is a pointer of Git LFS, which stands for the file until 'git lfs pull' fetches it");
  }
  refuse("it is no file of torch.save");
}

// Everything lies in one folder, whose name is that of the file when it was written: "pytorch_model/data.pkl".
std::string find_root(const Archive& archive, const Refusal& refuse) {
  constexpr std::string_view pickle = "/data.pkl";
  std::optional<std::string> root;
  for (const auto& [name, data] : archive) {
    const std::string folder = name.substr(0, name.find('/'));
    if (name != folder + std::string(pickle)) continue;
    if (root) refuse("the zip archive holds more than one data.pkl");
    root = folder + "/";
  }
  if (!root) refuse("the zip archive holds no data.pkl, as every file of torch.save does");
  return *root;
}

// The archive's own record of how it was written.
void check_format(const Archive& archive, const std::string& root, const Refusal& refuse) {
  const auto text_of = [&](const char* name) -> std::optional<std::string_view> {
    const auto found = archive.find(root + name);
    return found == archive.end() ? std::nullopt : std::optional(trimmed(as_text(found->second), "\n"));
  };
  if (archive.contains(root + "constants.pkl")) refuse("it holds a program (TorchScript), not weights");
  const std::string_view order = text_of("byteorder").value_or("little");  // written since PyTorch 2.1
  if (order != "little") refuse("its byte order is " + in_quotes(order) + ", not 'little'");
  const std::optional<std::string_view> version = text_of("version");
  if (!version) refuse("the zip archive holds no version, as every file of torch.save does");
  const bool number =
      !version->empty() && version->size() <= 2 && version->find_first_not_of("0123456789") == std::string_view::npos;
  if (!number) refuse("it is of version " + in_quotes(*version) + " of torch.save's format");
}

// a * b, or nothing where it does not fit. Neither is negative.
std::optional<std::int64_t> product(std::int64_t a, std::int64_t b) {
  if (b != 0 && a > std::numeric_limits<std::int64_t>::max() / b) return std::nullopt;
  return a * b;
}

// The number of elements of a row-major view; nothing where the strides are others.
std::optional<std::int64_t> row_major_numel(const PickledTensor& tensor, const Refusal& refuse) {
  if (std::ranges::find(tensor.shape, 0) != tensor.shape.end()) return 0;
  std::int64_t numel = 1;
  bool row_major = tensor.shape.size() == tensor.stride.size();
  for (std::size_t i = tensor.shape.size(); i-- > 0 && row_major;) {
    // How far apart the elements of a size of 1 are makes no difference.
    row_major = tensor.shape[i] == 1 || tensor.stride[i] == numel;
    const std::optional<std::int64_t> larger = product(numel, tensor.shape[i]);
    if (!larger) refuse("tensor " + in_quotes(tensor.name) + " has the impossible shape " + shape_text(tensor.shape));
    numel = *larger;
  }
  return row_major ? std::optional(numel) : std::nullopt;
}

std::span<const std::byte> storage_of(const PickledTensor& tensor, const Archive& archive, const std::string& root,
                                      const Refusal& refuse) {
  const std::string key(tensor.storage);
  const auto found = archive.find(root + "data/" + key);
  if (found == archive.end())
    refuse("tensor " + in_quotes(tensor.name) + " is in storage " + key + ", which is missing");
  const std::optional<std::int64_t> bytes =
      product(tensor.storage_numel, static_cast<std::int64_t>(size_of(tensor.dtype)));
  if (!bytes || static_cast<std::uint64_t>(*bytes) != found->second.size()) {
    refuse("storage " + key + " should hold " + std::to_string(tensor.storage_numel) + " numbers of type " +
           std::string(name_of(tensor.dtype)) + ", but has " + std::to_string(found->second.size()) + " bytes");
  }
  return found->second;
}

TensorView view_of(const PickledTensor& tensor, const Archive& archive, const std::string& root,
                   const Refusal& refuse) {
  const std::span<const std::byte> storage = storage_of(tensor, archive, root, refuse);
  const std::optional<std::int64_t> numel = row_major_numel(tensor, refuse);
  if (!numel) {
    refuse("tensor " + in_quotes(tensor.name) + " of shape " + shape_text(tensor.shape) +
           " is not stored row by row "
           "(its strides are " +
           shape_text(tensor.stride) + ")");
  }
  if (tensor.offset > tensor.storage_numel || *numel > tensor.storage_numel - tensor.offset) {
    refuse("tensor " + in_quotes(tensor.name) + " of shape " + shape_text(tensor.shape) + " from place " +
           std::to_string(tensor.offset) + " on reaches beyond its storage of " + std::to_string(tensor.storage_numel) +
           " numbers");
  }
  const std::size_t size = size_of(tensor.dtype);
  return {
      .dtype = tensor.dtype,
      .shape = tensor.shape,
      .data = storage.subspan(static_cast<std::size_t>(tensor.offset) * size, static_cast<std::size_t>(*numel) * size)};
}

}  // namespace

std::map<std::string, TensorView> parse_torch_zip(std::span<const std::byte> bytes, const std::filesystem::path& file) {
  const Refusal refuse(
      "'" + file.string() + "'",
      "if you trust where the file comes from, convert it with Python: transformers' EsmForMaskedLM (or "
      "EsmForProteinFolding for ESMFold).from_pretrained(FOLDER).save_pretrained(NEW_FOLDER) writes "
      "model.safetensors; if it is damaged, fetch it again");
  check_container(as_text(bytes), refuse);
  const Archive archive = parse_zip(bytes, refuse);
  const std::string root = find_root(archive, refuse);
  check_format(archive, root, refuse);
  std::map<std::string, TensorView> tensors;
  for (const PickledTensor& tensor : read_tensor_pickle(archive.at(root + "data.pkl"), refuse)) {
    tensors.emplace(tensor.name, view_of(tensor, archive, root, refuse));
  }
  return tensors;
}

}  // namespace pleat
