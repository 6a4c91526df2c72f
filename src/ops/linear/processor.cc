#include "ops/linear/processor.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "ops/cpu/path.h"

namespace pleat {
namespace {

struct Taken {
  std::mutex mutex;
  std::vector<std::string> names;
};

Taken& taken() {
  static Taken all;
  return all;
}

// By the processor's kind alone, never by a measurement: the two ways' bits differ, and a resumed run must find
// the bits it began with. On Intel's (Emerald Rapids, 2 cores) our own product in float32 does as much as oneDNN or a
// few per cent more, and adds what follows it without another pass; a product of bfloat16 pairs takes as long as four
// multiply-adds, so that without AMX oneDNN does 155 GFLOP/s in bfloat16 where our product does 235. On AMD's oneDNN is
// the faster one, but in bfloat16 only where the processor has products of it.
bool is_slow_by_onednn(at::ScalarType type) {
  if (__builtin_cpu_is("intel") != 0) return true;
  return type == at::kBFloat16 && cpu::path() < cpu::Path::avx512_bf16;
}

}  // namespace

at::Tensor probe_numbers(std::int64_t rows, std::int64_t columns, at::ScalarType type, float step) {
  const at::Tensor n = at::arange(rows * columns, at::kFloat);
  return ((n * step).frac() - 0.5F).view({rows, columns}).to(type);
}

bool rows_are_independent(const ProcessorLinear& layer, std::int64_t in, at::ScalarType type) {
  const at::Tensor x = probe_numbers(264, in, type, 0.618034F);
  const at::Tensor whole = layer.multiply(x);
  const auto same = [&](std::int64_t first, std::int64_t rows) {
    return at::equal(layer.multiply(x.slice(0, first, first + rows).contiguous()), whole.slice(0, first, first + rows));
  };
  return same(3, 8) && same(40, 16) && same(83, 64) && same(8, 104) && same(0, 256);
}

cpu::Ending ending_of(Activation activation) {
  switch (activation) {
    case Activation::none: return cpu::Ending::none;
    case Activation::gelu: return cpu::Ending::gelu;
    case Activation::relu: return cpu::Ending::relu;
  }
  return cpu::Ending::none;
}

void note_linear_way(const std::string& name) {
  Taken& all = taken();
  const std::scoped_lock lock(all.mutex);
  if (std::ranges::find(all.names, name) == all.names.end()) all.names.push_back(name);
}

std::string linear_ways_text() {
  Taken& all = taken();
  const std::scoped_lock lock(all.mutex);
  return fmt::format("{}", fmt::join(all.names, ", "));
}

ProcessorLinearPtr make_processor_linear(const at::Tensor& weight, const at::Tensor& bias, Activation activation,
                                         Rows rows) {
  if (ProcessorLinearPtr tiles = make_tile_linear(weight, bias, activation)) return tiles;
  if (!is_slow_by_onednn(weight.scalar_type())) {
    if (ProcessorLinearPtr onednn = make_onednn_linear(weight, bias, activation, rows)) return onednn;
  }
  return make_panel_linear(weight, bias, activation);
}

}  // namespace pleat
