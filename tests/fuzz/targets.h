// What is fuzzed: readers of bytes that anybody may have changed. Each takes any bytes, and must either read them or
// throw a pleat::Error that is no Error(internal).
#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace pleat::fuzz {

using Bytes = std::span<const std::byte>;

// A journal's objects, one a line, whose checksums the target adds; after a zero byte a segment.
void work_folder(Bytes input);
void safetensors(Bytes input);
void torch_zip(Bytes input);
void config(Bytes input);

struct Target {
  const char* name;  // of its folder in corpus/
  void (*run)(Bytes input);
};
inline constexpr std::array targets{Target{"work_folder", work_folder}, Target{"safetensors", safetensors},
                                    Target{"torch_zip", torch_zip}, Target{"config", config}};

}  // namespace pleat::fuzz
