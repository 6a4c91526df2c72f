#include "ops/cpu/kernels.h"

#include <algorithm>
#include <atomic>

#include "ops/cpu/path.h"

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
    const Path most = std::min(path(), Path::avx512);
    if (most == Path::avx512) found.push_back(&avx512::table);
    if (most >= Path::avx2) found.push_back(&avx2::table);
    found.push_back(&baseline::table);
    return found;
  }();
  return tables;
}

const Kernels& kernels() { return *chosen().load(std::memory_order_relaxed); }

void use_kernels(const Kernels& table) { chosen().store(&table, std::memory_order_relaxed); }

}  // namespace pleat::cpu
