// How fast weights come into memory: build/bin/load_weights FOLDER [fp32|bf16|fp16] [cpu|cuda:N]
//
// FOLDER holds a checkpoint; benchmarks/make_model.py makes one of any size. Each line is a way through all its
// tensors, in GB of the file a second, the best of three: the bytes alone; read, converted and checked as a model's
// loading does it; and the same by one thread. The file is in the page cache from the second way on, if it fits there.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "esm2/loader.h"
#include "ops/cuda_plugin.h"
#include "weights/checkpoint.h"

namespace pleat {
namespace {

constexpr int rounds = 3;

double bytes_of(const Checkpoint& checkpoint) {
  double bytes = 0;
  for (const auto& [name, view] : checkpoint.tensors()) bytes += static_cast<double>(view.data.size());
  return bytes;
}

void measure(const char* what, double bytes, const std::function<void()>& way) {
  double best = 0;
  for (int round = 0; round < rounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    way();
    best = std::max(best, bytes / std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::cout << fmt::format("{:<44} {:6.2f} GB/s\n", what, best / 1e9);
}

void read_bytes(const Checkpoint& checkpoint) {
  for (const auto& [name, view] : checkpoint.tensors()) {
    constexpr std::int64_t piece = 1 << 20;
    at::parallel_for(0, static_cast<std::int64_t>(view.data.size()), piece, [&](std::int64_t begin, std::int64_t end) {
      std::vector<std::byte> buffer(piece);
      for (std::int64_t at = begin; at < end; at += piece) {
        const auto size = static_cast<std::size_t>(std::min(piece, end - at));
        checkpoint.read(view.data.subspan(static_cast<std::size_t>(at), size), std::span(buffer).first(size));
      }
    });
  }
}

void load(const Checkpoint& checkpoint, at::ScalarType type, at::Device device) {
  const Loader loader(checkpoint, type, device);
  for (const auto& [name, view] : checkpoint.tensors()) {
    if (view.dtype != DType::int64 && view.dtype != DType::uint8) (void)loader.tensor(name, type);
  }
  loader.check();
}

void run(const std::string& folder, const std::string& precision, const std::string& where) {
  const at::ScalarType type = precision == "bf16" ? at::kBFloat16 : precision == "fp16" ? at::kHalf : at::kFloat;
  if (where != "cpu" && load_cuda_plugin().plugin == nullptr) throw std::runtime_error("there is no part for CUDA");
  const at::Device device(where);
  const Checkpoint checkpoint = Checkpoint::open(folder);
  const double bytes = bytes_of(checkpoint);
  const int threads = at::get_num_threads();
  std::cout << fmt::format("{:.2f} GB, {} tensors, {} threads, as {} on {}\n", bytes / 1e9, checkpoint.tensors().size(),
                           threads, precision, where);
  measure("the bytes alone", bytes, [&] { read_bytes(checkpoint); });
  measure("read, converted, checked", bytes, [&] { load(checkpoint, type, device); });
  at::set_num_threads(1);
  measure("read, converted, checked, by one thread", bytes, [&] { load(checkpoint, type, device); });
}

}  // namespace
}  // namespace pleat

int main(int argc, char** argv) {
  if (argc < 2 || argc > 4) {
    std::cerr << "usage: load_weights FOLDER [fp32|bf16|fp16] [cpu|cuda:N]\n";
    return 64;
  }
  try {
    pleat::run(argv[1], argc > 2 ? argv[2] : "fp32", argc > 3 ? argv[3] : "cpu");
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 70;
  }
}
