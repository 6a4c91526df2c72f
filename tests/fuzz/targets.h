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
// A manifest; after each zero byte one of --set.
void manifest(Bytes input);
// An input file in any format.
void inputs(Bytes input);
// A table of pairs of a few records.
void pairs(Bytes input);
// Which sound result file, and what is changed in it, see result_target.cc.
void result_reader(Bytes input);
// Answers of a server, with zero bytes between them.
void hub(Bytes input);
// The index of weights in several files.
void weight_index(Bytes input);

struct Target {
  const char* name;  // of its folder in corpus/
  void (*run)(Bytes input);
};
inline constexpr std::array targets{Target{"work_folder", work_folder},     Target{"safetensors", safetensors},
                                    Target{"torch_zip", torch_zip},         Target{"config", config},
                                    Target{"manifest", manifest},           Target{"inputs", inputs},
                                    Target{"result_reader", result_reader}, Target{"hub", hub},
                                    Target{"weight_index", weight_index},   Target{"pairs", pairs}};

}  // namespace pleat::fuzz
