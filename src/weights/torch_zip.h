// pytorch_model.bin as torch.save has written it since PyTorch 1.6: a zip archive of a pickle and the numbers of each
// storage, https://pytorch.org/docs/stable/notes/serialization.html.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "core/tensor_view.h"

namespace pleat {

// The tensors of one file, as views into `bytes`. `file` is only for messages. Nothing in the file is executed: see
// tensor_pickle.h. Two names may share a storage, as tied weights do; a view that is not row-major (transposed,
// expanded) is refused. Throws Error(bad_input) that says how the weights are converted.
[[nodiscard]] std::map<std::string, TensorView> parse_torch_zip(std::span<const std::byte> bytes,
                                                                const std::filesystem::path& file);

}  // namespace pleat
