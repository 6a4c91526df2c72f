#include "runtime/devices.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <optional>
#include <string_view>

#include "core/error.h"

namespace pleat {
namespace {

constexpr std::string_view workers_prefix = "cpu*";
constexpr std::string_view gpus_prefix = "cuda:";
constexpr int most_workers = 64;
constexpr int most_gpus = 64;

// The whole text as a number within bounds.
std::optional<int> number_in(std::string_view text, int least, int most) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && number >= least && number <= most ? std::optional(number) : std::nullopt;
}

// 0,2 -> {0, 2}; empty where it is no list of different numbers.
std::vector<int> gpus_in(std::string_view text) {
  std::vector<int> gpus;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::optional<int> gpu = number_in(text.substr(begin, end - begin), 0, most_gpus - 1);
    if (!gpu || std::ranges::find(gpus, *gpu) != gpus.end()) return {};
    gpus.push_back(*gpu);
    begin = end + 1;
  }
  return gpus;
}

DeviceChoice choice_of(const CudaProbe& probe, const std::vector<int>& gpus) {
  DeviceChoice choice;
  std::vector<std::string> texts;
  for (const int number : gpus) {
    const GpuState& gpu = probe.gpus.at(static_cast<std::size_t>(number));
    choice.gpus.push_back({number, gpu.name, gpu.free_bytes});
    texts.push_back(fmt::format("cuda:{} ({}, {:.1f} GB free)", number, gpu.name, gpu.free_bytes / 1e9));
  }
  choice.note = fmt::format("computes on {}", fmt::join(texts, ", "));
  return choice;
}

}  // namespace

DeviceChoice choose_automatically(const CudaProbe& probe) {
  const CudaDecision decision = decide_cuda_automatically(probe);
  if (decision.gpus.empty()) {
    return {.warnings = {fmt::format("computes on the processor although there is a GPU: {}", decision.problem)}};
  }
  DeviceChoice choice = choice_of(probe, decision.gpus);
  for (const std::string& problem : decision.left_out) {
    choice.warnings.push_back(fmt::format("a GPU is not used: {}", problem));
  }
  return choice;
}

DeviceRequest parse_devices(const std::string& devices) {
  using Kind = DeviceRequest::Kind;
  const std::string_view text = devices;
  if (text == "auto") return {};
  if (text == "cpu") return {.kind = Kind::cpu};
  if (text == "cuda") return {.kind = Kind::cuda};
  if (text.starts_with(workers_prefix)) {
    if (const auto workers = number_in(text.substr(workers_prefix.size()), 1, most_workers)) {
      return {.kind = Kind::cpu, .cpu_workers = *workers};
    }
  }
  if (text.starts_with(gpus_prefix)) {
    if (std::vector<int> gpus = gpus_in(text.substr(gpus_prefix.size())); !gpus.empty()) {
      return {.kind = Kind::cuda, .gpus = std::move(gpus)};
    }
  }
  throw Error(
      ErrorCode::no_device, fmt::format("run.devices asks for '{}', which is no device", devices),
      fmt::format("known devices: auto, cpu, cpu*N for N workers on one processor, N from 1 to {}, cuda for all "
                  "GPUs, and cuda:I,J for some of them",
                  most_workers));
}

DeviceChoice choose_devices(const std::string& devices) {
  const DeviceRequest request = parse_devices(devices);
  if (request.kind == DeviceRequest::Kind::automatic) {
    // The plug-in takes seconds to load: only where there seems to be a GPU.
    return probe_driver().gpu_visible ? choose_automatically(probe_cuda({})) : DeviceChoice();
  }
  if (request.kind == DeviceRequest::Kind::cpu) return {.cpu_workers = request.cpu_workers};
  const CudaProbe probe = probe_cuda(request.gpus);
  const CudaDecision decision = decide_cuda(probe, request.gpus);
  if (decision.gpus.empty()) {
    throw Error(ErrorCode::no_device, fmt::format("run.devices asks for '{}', and {}", devices, decision.problem),
                decision.advice);
  }
  return choice_of(probe, decision.gpus);
}

}  // namespace pleat
