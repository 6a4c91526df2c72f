#include "ops/cpu/kernels.h"

#include <atomic>

namespace pleat::cpu {
namespace {

std::atomic<const Kernels*>& chosen() {
  static std::atomic<const Kernels*> table = usable_kernels().front();
  return table;
}

}  // namespace

const std::vector<const Kernels*>& usable_kernels() {
  static const std::vector<const Kernels*> tables = [] {
    std::vector<const Kernels*> found;
    const bool avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
    if (avx2 && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
        __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0) {
      found.push_back(&avx512::table);
    }
    if (avx2) found.push_back(&avx2::table);
    found.push_back(&baseline::table);
    return found;
  }();
  return tables;
}

const Kernels& kernels() { return *chosen().load(std::memory_order_relaxed); }

void use_kernels(const Kernels& table) { chosen().store(&table, std::memory_order_relaxed); }

}  // namespace pleat::cpu
