// The safetensors format: 8 bytes of header length, a JSON header, then the tensors end to end.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "weights/checkpoint.h"

namespace pleat {

// The tensors of one file, as views into `bytes`. `file` is only for messages.
// Checks everything the header says before a byte of data is looked at: the header's length, UTF-8 and JSON; types;
// shapes that match their bytes; offsets that cover the data exactly, without overlap and without holes.
// Throws Error(bad_input).
[[nodiscard]] std::map<std::string, TensorView> parse_safetensors(std::span<const std::byte> bytes,
                                                                  const std::filesystem::path& file);

}  // namespace pleat
