#include "machine/cuda.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace pleat {
namespace {

constexpr int success = 0;
constexpr int no_device = 100;  // CUDA_ERROR_NO_DEVICE
// The branch of drivers that serves a CUDA version begins with a number of its own.
constexpr int newest_known_major = 13;
constexpr const char* newest_known_driver = "580";

constexpr const char* cpu_advice = "or set run.devices to cpu";

// The driver's own words, such as "580.95.05"; empty where there is none.
std::string driver_name() {
  std::ifstream in("/proc/driver/nvidia/version");
  for (std::string word; in >> word;) {
    if (word.find('.') != std::string::npos && word.find_first_not_of("0123456789.") == std::string::npos) return word;
  }
  return {};
}

void ask_driver(CudaProbe& probe) {
  void* const library = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);  // stays, as the plug-in needs it too
  if (library == nullptr) return;
  probe.driver_library = true;
  const auto initialise = reinterpret_cast<int (*)(unsigned)>(::dlsym(library, "cuInit"));
  const auto get_version = reinterpret_cast<int (*)(int*)>(::dlsym(library, "cuDriverGetVersion"));
  const auto get_error = reinterpret_cast<int (*)(int, const char**)>(::dlsym(library, "cuGetErrorString"));
  if (initialise == nullptr || get_version == nullptr) {
    probe.driver_error = "libcuda.so.1 is not NVIDIA's";
    return;
  }
  if (get_version(&probe.driver_version) != success) probe.driver_version = 0;
  const int status = initialise(0);
  if (status == success || status == no_device) return;
  const char* text = nullptr;
  if (get_error != nullptr) get_error(status, &text);
  probe.driver_error = text != nullptr ? text : fmt::format("error {}", status);
}

std::string version_text(int version) { return fmt::format("{}.{}", version / 1000, version % 1000 / 10); }

std::string driver_text(const CudaProbe& probe) {
  return probe.driver_name.empty() ? "the NVIDIA driver" : fmt::format("the NVIDIA driver {}", probe.driver_name);
}

CudaDecision refusal(std::string problem, const std::string& advice) {
  return {{}, std::move(problem), fmt::format("{}, {}", advice, cpu_advice)};
}

CudaDecision judge_plugin(const CudaProbe& probe) {
  switch (probe.plugin) {
    case PluginState::loaded: return {};
    case PluginState::absent:
      return refusal(fmt::format("this pleat has no part for CUDA: there is no '{}'", probe.plugin_path),
                     "take the cuda image, or build with 'scripts/build --cuda'");
    case PluginState::unloadable:
      return refusal(fmt::format("the part for CUDA cannot be loaded: {}", probe.plugin_problem),
                     fmt::format("see what 'ldd {}' does not find", probe.plugin_path));
    case PluginState::other_version:
      return refusal(fmt::format("'{}' was built for another pleat ({})", probe.plugin_path, probe.plugin_problem),
                     "build or install both together");
  }
  return {};
}

CudaDecision judge_driver(const CudaProbe& probe) {
  if (!probe.driver_library) {
    return refusal("there is no NVIDIA driver here: libcuda.so.1 cannot be loaded",
                   "start the container with --gpus all (docker) or --nv (apptainer), go to a machine with a GPU");
  }
  // Within a major version any driver serves any runtime.
  const int needed = probe.runtime_version / 1000;
  if (probe.driver_version > 0 && probe.driver_version / 1000 < needed) {
    const std::string driver =
        needed == newest_known_major ? fmt::format(" (driver {} or newer)", newest_known_driver) : std::string();
    return refusal(fmt::format("{} is too old: it serves CUDA {}, and this pleat needs CUDA {}.0{}", driver_text(probe),
                               version_text(probe.driver_version), needed, driver),
                   "have the driver updated");
  }
  if (!probe.driver_error.empty()) {
    return refusal(fmt::format("{} does not start: {}", driver_text(probe), probe.driver_error),
                   "see whether nvidia-smi works");
  }
  if (!probe.runtime_error.empty()) {
    return refusal(fmt::format("the CUDA runtime does not start: {}", probe.runtime_error),
                   "see whether nvidia-smi works");
  }
  if (probe.gpus.empty()) {
    return refusal("there is no GPU that this process may use",
                   "ask for one (--gpus all, --gres=gpu:1), look at CUDA_VISIBLE_DEVICES");
  }
  return {};
}

CudaDecision judge_gpu(const CudaProbe& probe, int number) {
  if (number >= static_cast<int>(probe.gpus.size())) {
    return refusal(fmt::format("there is no cuda:{}; this process may use {} GPU{}", number, probe.gpus.size(),
                               probe.gpus.size() == 1 ? "" : "s"),
                   "GPUs are numbered from 0");
  }
  const GpuState& gpu = probe.gpus[static_cast<std::size_t>(number)];
  if (gpu.major > 0 && !runs_on(probe.architectures, gpu.major, gpu.minor)) {
    return refusal(fmt::format("cuda:{} ({}) has compute capability {}.{}, and this pleat was built for {}", number,
                               gpu.name, gpu.major, gpu.minor, probe.architectures),
                   "take another GPU, build for it with -DPLEAT_CUDA_ARCHITECTURES");
  }
  if (!gpu.error.empty()) {
    return refusal(fmt::format("cuda:{} ({}) cannot be used: {}", number, gpu.name, gpu.error),
                   "see what nvidia-smi says of it");
  }
  return {};
}

}  // namespace

bool runs_on(const std::string& architectures, int major, int minor) {
  std::istringstream words(architectures);
  for (int architecture = 0; words >> architecture;) {
    if (architecture / 10 == major && architecture % 10 <= minor) return true;
  }
  return false;
}

CudaProbe probe_driver() {
  CudaProbe probe;
  probe.driver_name = driver_name();
  std::error_code error;
  // The second is that of Windows' subsystem for Linux.
  probe.gpu_visible = !probe.driver_name.empty() || std::filesystem::exists("/dev/nvidiactl", error) ||
                      std::filesystem::exists("/dev/dxg", error);
  ask_driver(probe);
  return probe;
}

CudaProbe probe_cuda(const std::vector<int>& wanted) {
  CudaProbe probe = probe_driver();
  const PluginResult& plugin = load_cuda_plugin();
  probe.plugin = plugin.state;
  probe.plugin_path = plugin.path;
  probe.plugin_problem = plugin.problem;
  if (plugin.plugin == nullptr) return probe;
  probe.architectures = plugin.plugin->architectures;
  probe.runtime_version = plugin.plugin->runtime_version;
  if (!probe.driver_library || !probe.driver_error.empty()) return probe;
  const int count = plugin.plugin->count(probe.runtime_error);
  for (int number = 0; number < count; ++number) {
    const bool needed = wanted.empty() || std::ranges::find(wanted, number) != wanted.end();
    probe.gpus.push_back(needed ? plugin.plugin->examine(number) : GpuState());
  }
  return probe;
}

CudaDecision decide_cuda(const CudaProbe& probe, const std::vector<int>& wanted) {
  for (const auto& judge : {judge_plugin, judge_driver}) {
    if (CudaDecision decision = judge(probe); !decision.problem.empty()) return decision;
  }
  std::vector<int> gpus = wanted;
  if (gpus.empty()) {
    for (std::size_t number = 0; number < probe.gpus.size(); ++number) gpus.push_back(static_cast<int>(number));
  }
  for (const int number : gpus) {
    if (CudaDecision decision = judge_gpu(probe, number); !decision.problem.empty()) return decision;
  }
  return {std::move(gpus), {}, {}};
}

CudaDecision decide_cuda_automatically(const CudaProbe& probe) {
  CudaDecision all = decide_cuda(probe, {});
  if (!all.gpus.empty()) return all;
  CudaDecision some;
  for (std::size_t i = 0; i < probe.gpus.size(); ++i) {
    const int number = static_cast<int>(i);
    CudaDecision one = decide_cuda(probe, {number});
    if (one.gpus.empty()) {
      some.left_out.push_back(std::move(one.problem));
    } else {
      some.gpus.push_back(number);
    }
  }
  return some.gpus.empty() ? all : some;
}

}  // namespace pleat
