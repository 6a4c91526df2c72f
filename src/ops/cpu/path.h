// Which of this processor's instructions the work on it uses.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pleat::cpu {

// In the order of what they need; each includes those before it.
enum class Path : std::uint8_t {
  baseline,     // x86-64: SSE2
  avx2,         // AVX2 and FMA
  avx512,       // AVX-512 F, BW, DQ and VL
  avx512_bf16,  // products of bfloat16
  amx,          // tiles: products of whole bfloat16 matrices
};

// As PLEAT_CPU names it: "avx512_bf16".
[[nodiscard]] std::string_view path_name(Path path);

// What this processor and its operating system can do, the fastest first.
[[nodiscard]] const std::vector<Path>& usable_paths();

// The path that PLEAT_CPU names, or the fastest. The first call also holds LibTorch's libraries to the same
// instructions, so it comes before anything is computed. Throws Error(no_device) where PLEAT_CPU names no path or one
// that this processor lacks.
[[nodiscard]] Path path();

// "PLEAT_CPU=avx2: AVX2", for people; without the variable only what is used.
[[nodiscard]] std::string path_text();

}  // namespace pleat::cpu
