#include "machine/devices.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <optional>
#include <string_view>

#include "core/error.h"

namespace pleat {
namespace {

constexpr std::string_view gpus_prefix = "cuda:";
constexpr int most_workers = 64;
constexpr int most_gpus = 64;
// More chains side by side than fill any GPU.
constexpr int most_workers_per_gpu = 16;

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

// A text without its *N, and N; without a valid one N is 0, and without any it is 1.
struct Worded {
  std::string_view kind;
  int workers = 1;
};

Worded split_workers(std::string_view text, std::string_view processor) {
  const std::size_t star = text.find('*');
  if (star == std::string_view::npos) return {text, 1};
  const std::string_view kind = text.substr(0, star);
  const int most = kind == processor ? most_workers : most_workers_per_gpu;
  return {kind, number_in(text.substr(star + 1), 1, most).value_or(0)};
}

DeviceChoice choice_of(const CudaProbe& probe, const std::vector<int>& gpus, std::int64_t workers = 1) {
  DeviceChoice choice;
  choice.workers_per_gpu = workers;
  std::vector<std::string> texts;
  for (const int number : gpus) {
    const GpuState& gpu = probe.gpus.at(static_cast<std::size_t>(number));
    choice.gpus.push_back({number, gpu.name, gpu.free_bytes, 10 * gpu.major + gpu.minor});
    texts.push_back(fmt::format("cuda:{} ({}, {:.1f} GB free)", number, gpu.name, gpu.free_bytes / 1e9));
  }
  choice.note = fmt::format("computes on {}", fmt::join(texts, ", "));
  if (workers > 1) choice.note += fmt::format(", with {} workers on each", workers);
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
  const auto [kind, workers] = split_workers(devices, "cpu");
  if (devices == "auto") return {};
  if (workers > 0) {
    if (kind == "cpu") return {.kind = Kind::cpu, .workers = workers};
    if (kind == "cuda") return {.kind = Kind::cuda, .workers = workers};
    if (kind.starts_with(gpus_prefix)) {
      if (std::vector<int> gpus = gpus_in(kind.substr(gpus_prefix.size())); !gpus.empty()) {
        return {.kind = Kind::cuda, .workers = workers, .gpus = std::move(gpus)};
      }
    }
  }
  throw Error(
      ErrorCode::no_device, fmt::format("run.devices asks for '{}', which is no device", devices),
      fmt::format("known devices: auto, cpu, cpu*N for N workers on one processor, N from 1 to {}, cuda for all "
                  "GPUs, cuda:I,J for some of them, and cuda*N or cuda:I,J*N for N workers on each, N from 1 to {}",
                  most_workers, most_workers_per_gpu));
}

DeviceChoice choose_devices(const std::string& devices) {
  const DeviceRequest request = parse_devices(devices);
  if (request.kind == DeviceRequest::Kind::automatic) {
    // The plug-in takes seconds to load: only where there seems to be a GPU.
    return probe_driver().gpu_visible ? choose_automatically(probe_cuda({})) : DeviceChoice();
  }
  if (request.kind == DeviceRequest::Kind::cpu) return {.cpu_workers = request.workers};
  const CudaProbe probe = probe_cuda(request.gpus);
  const CudaDecision decision = decide_cuda(probe, request.gpus);
  if (decision.gpus.empty()) {
    throw Error(ErrorCode::no_device, fmt::format("run.devices asks for '{}', and {}", devices, decision.problem),
                decision.advice);
  }
  return choice_of(probe, decision.gpus, request.workers);
}

DevicePlace place_of(const DeviceChoice& choice, std::int64_t number) {
  if (!choice.on_gpu()) return {.memory = 0, .worker = number, .name = fmt::format("cpu:{}", number)};
  const auto gpus = static_cast<std::int64_t>(choice.gpus.size());
  DevicePlace place{.memory = static_cast<std::size_t>(number % gpus), .worker = number / gpus, .name = {}};
  place.name = fmt::format("cuda:{}", choice.gpus.at(place.memory).number);
  if (place.worker > 0) place.name += fmt::format(".{}", place.worker);
  return place;
}

}  // namespace pleat
