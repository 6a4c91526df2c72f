#include "ops/cpu/path.h"

#include <cpuid.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/error.h"

namespace pleat::cpu {
namespace {

struct Entry {
  Path path;
  std::string_view name;
  std::string_view text;
  // What holds oneDNN, ATen and MKL to these instructions; empty where they may use all that is there.
  const char* onednn;
  const char* aten;
  const char* mkl;
};

constexpr std::array<Entry, 5> entries = {{
    {Path::baseline, "baseline", "SSE2", "SSE41", "default", "SSE4_2"},
    {Path::avx2, "avx2", "AVX2", "AVX2", "avx2", "AVX2"},
    {Path::avx512, "avx512", "AVX-512", "AVX512_CORE", "", ""},
    {Path::avx512_bf16, "avx512_bf16", "AVX-512 with bfloat16", "AVX512_CORE_FP16", "", ""},
    {Path::amx, "amx", "AMX", "", "", ""},
}};

const Entry& entry_of(Path path) { return entries[static_cast<std::size_t>(path)]; }

// Linux gives a process the tiles' registers only on request.
bool may_use_tiles() {
  constexpr long request_permission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long tile_data = 18;               // the component's number in XCR0
  return ::syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

// GCC 12's __builtin_cpu_supports knows no AMX.
bool has_tiles() {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  constexpr unsigned bf16 = 1U << 22U;
  constexpr unsigned tile = 1U << 24U;
  return (edx & bf16) != 0 && (edx & tile) != 0 && may_use_tiles();
}

std::vector<Path> find_usable_paths() {
  std::vector<Path> found = {Path::baseline};
  const auto next = [&](Path path, bool usable) {
    if (usable && entry_of(found.back()).path == static_cast<Path>(static_cast<int>(path) - 1)) found.push_back(path);
  };
  next(Path::avx2, __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0);
  next(Path::avx512, __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
                         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0);
  next(Path::avx512_bf16, __builtin_cpu_supports("avx512bf16") != 0);
  next(Path::amx, has_tiles());
  std::ranges::reverse(found);
  return found;
}

void hold_libraries_to(const Entry& entry) {
  const auto hold = [](const char* variable, const char* value) {
    if (*value != '\0') ::setenv(variable, value, 1);  // NOLINT(concurrency-mt-unsafe): before there are threads
  };
  hold("ONEDNN_MAX_CPU_ISA", entry.onednn);
  hold("ATEN_CPU_CAPABILITY", entry.aten);
  hold("MKL_ENABLE_INSTRUCTIONS", entry.mkl);
}

const char* wanted_name() { return std::getenv("PLEAT_CPU"); }  // NOLINT(concurrency-mt-unsafe)

Path choose() {
  const std::vector<Path>& usable = usable_paths();
  const char* const wanted = wanted_name();
  if (wanted == nullptr || *wanted == '\0') return usable.front();
  std::vector<std::string_view> names;
  names.reserve(usable.size());
  for (const Path path : usable) names.push_back(path_name(path));
  const auto found = std::ranges::find(names, wanted);
  if (found == names.end()) {
    const bool known = std::ranges::any_of(entries, [&](const Entry& entry) { return entry.name == wanted; });
    throw Error(
        ErrorCode::no_device,
        known ? fmt::format("PLEAT_CPU is '{}', and this processor cannot do that", wanted)
              : fmt::format("PLEAT_CPU is '{}', which is no kind of processor", wanted),
        fmt::format("this processor knows {}; without the variable the first of them is used", fmt::join(names, ", ")));
  }
  const Path path = usable[static_cast<std::size_t>(found - names.begin())];
  hold_libraries_to(entry_of(path));
  return path;
}

}  // namespace

std::string_view path_name(Path path) { return entry_of(path).name; }

const std::vector<Path>& usable_paths() {
  static const std::vector<Path> paths = find_usable_paths();
  return paths;
}

Path path() {
  static const Path chosen = choose();
  return chosen;
}

std::string path_text() {
  const char* const wanted = wanted_name();
  const std::string_view text = entry_of(path()).text;
  return wanted == nullptr || *wanted == '\0' ? std::string(text) : fmt::format("PLEAT_CPU={}: {}", wanted, text);
}

}  // namespace pleat::cpu
