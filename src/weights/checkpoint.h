// A folder with config.json and weights: the tensors by name, mapped into memory, not copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/stop.h"
#include "core/tensor_view.h"

namespace pleat {

class MappedFile;

class Checkpoint {
 public:
  // Opens model.safetensors, or the files that model.safetensors.index.json names; where there is neither,
  // pytorch_model.bin, or the files that pytorch_model.bin.index.json names. Checks everything a file says of its
  // tensors: lengths, offsets in range, shapes that match their bytes. A pytorch_model.bin is a program in Python's
  // pickle language; it is not executed, and what is no plain dictionary of tensors is refused. Throws
  // Error(missing_input) where files are not there, and Error(bad_input) for damaged files and refused ones.
  [[nodiscard]] static Checkpoint open(const std::filesystem::path& folder);
  ~Checkpoint();
  Checkpoint(Checkpoint&&) noexcept;
  Checkpoint& operator=(Checkpoint&&) noexcept;

  [[nodiscard]] const std::map<std::string, TensorView>& tensors() const { return tensors_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  // Copies a part of a tensor's bytes from the file, past the mapping: faster by several threads, and a file that has
  // become shorter is an Error(bad_input) that names it. `to` is as long as `part`.
  void read(std::span<const std::byte> part, std::span<std::byte> to) const;
  // Throws Error(bad_input) when a file is no longer what was opened: other bytes, or another length.
  void throw_if_changed() const;
  // SHA-256 over "name sha256\n" of config.json and each weight file, sorted by name. Reads every byte: seconds for
  // a large model, so run it beside other work. Throws Stopped; `stop` may be null.
  [[nodiscard]] std::string sha256(const StopToken* stop = nullptr) const;
  // The same with each file's sample_hash() in place of its SHA-256: tells other weights apart at once.
  [[nodiscard]] std::string sample() const;

 private:
  Checkpoint();
  [[nodiscard]] std::vector<std::filesystem::path> files_to_hash() const;  // sorted by name
  std::filesystem::path folder_;
  std::vector<std::filesystem::path> files_;
  std::vector<std::unique_ptr<MappedFile>> maps_;
  std::map<std::string, TensorView> tensors_;
};

// floating: any of the types that weights are stored in; integer: int64, a table of indices.
enum class NumberKind : std::uint8_t { floating, integer };

// What a model needs: a name, its exact shape, and the kind of its numbers.
struct TensorSpec {
  std::string name;
  std::vector<std::int64_t> shape;
  NumberKind kind = NumberKind::floating;
};

// Checks a checkpoint against the whole list at once. Every name in `specs` must be there with its shape and a type
// of its kind; every tensor of the checkpoint must be in `specs` or match one of the `benign` patterns (ECMAScript
// regular expressions, whole name). Throws one Error(bad_input) that lists everything missing, unexpected, misshapen or
// mistyped: of each the first 20 by name and the number of the others.
void check_tensors(const std::map<std::string, TensorView>& tensors, const std::vector<TensorSpec>& specs,
                   const std::vector<std::string>& benign);

}  // namespace pleat
