#include "machine/doctor.h"

#include <H5public.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <tbb/version.h>
#include <torch/headeronly/version.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "machine/cuda.h"
#include "machine/devices.h"
#include "machine/machine.h"
#include "ops/cpu/path.h"
#include "weights/locate.h"
#include "weights/registry.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;

// Fewer bytes than any published model with its activations needs.
constexpr double little_memory = 1e9;
constexpr double little_disk = 1e9;

Finding good(std::string subject, std::string text) { return {std::move(subject), Health::good, std::move(text), {}}; }

std::string gigabytes(double bytes) { return fmt::format("{:.1f} GB", bytes / 1e9); }

Finding libraries() {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  H5get_libversion(&major, &minor, &release);
  std::error_code ignored;
  return good("libraries",
              fmt::format("LibTorch {}, HDF5 {}.{}.{}, oneTBB {}; {}", TORCH_VERSION, major, minor, release,
                          TBB_runtime_version(), fs::read_symlink("/proc/self/exe", ignored).string()));
}

Finding processor() {
  std::vector<std::string_view> names;
  for (const cpu::Path path : cpu::usable_paths()) names.push_back(cpu::path_name(path));
  const std::string text = fmt::format("{}; computes with {}; PLEAT_CPU can be {}", processor_name(), cpu::path_text(),
                                       fmt::join(names, ", "));
  if (cpu::path() != cpu::Path::baseline) return good("processor", text);
  return {"processor", Health::warning, text,
          "computing is several times slower without AVX2, which machines have since 2013", ErrorCode::internal};
}

Finding processors() {
  const std::int64_t used = usable_processors();
  const auto all = static_cast<std::int64_t>(std::thread::hardware_concurrency());
  return good("threads", fmt::format("{} of {} processors may be used", used, std::max(all, used)));
}

Finding memory() {
  const double free = available_memory();
  if (free >= little_memory)
    return good("memory", fmt::format("{} free, limits of the container or job included", gigabytes(free)));
  return {"memory", Health::fault, fmt::format("only {} free", gigabytes(free)),
          "raise the memory of the job or container (--mem, --memory)", ErrorCode::retry};
}

std::string driver_and_cuda(const CudaProbe& probe) {
  std::string text = probe.driver_name.empty() ? "driver" : fmt::format("driver {}", probe.driver_name);
  if (probe.driver_version > 0) {
    text += fmt::format(" for CUDA {}.{}", probe.driver_version / 1000, probe.driver_version % 1000 / 10);
  }
  return text;
}

std::string plugin_text(const CudaProbe& probe) {
  return fmt::format("{} for CUDA {}.{} and the architectures {}", probe.plugin_path, probe.runtime_version / 1000,
                     probe.runtime_version % 1000 / 10, probe.architectures);
}

std::string gpus_text(const CudaProbe& probe) {
  std::vector<std::string> texts;
  for (std::size_t number = 0; number < probe.gpus.size(); ++number) {
    const GpuState& gpu = probe.gpus[number];
    texts.push_back(fmt::format("cuda:{} {}, compute capability {}.{}, {} of {} free", number, gpu.name, gpu.major,
                                gpu.minor, gigabytes(gpu.free_bytes), gigabytes(gpu.total_bytes)));
  }
  return fmt::format("{}", fmt::join(texts, "; "));
}

// Loads the plug-in only where there seems to be a GPU: that takes seconds.
Finding gpu() {
  const CudaProbe driver = probe_driver();
  if (!driver.gpu_visible && !driver.driver_library) return good("gpu", "no NVIDIA driver");
  const CudaProbe probe = probe_cuda({});
  const CudaDecision decision = decide_cuda(probe, {});
  if (decision.problem.empty()) {
    return good("gpu", fmt::format("{}; {}; {}", driver_and_cuda(probe), plugin_text(probe), gpus_text(probe)));
  }
  return {"gpu", Health::warning, fmt::format("{}; {}", driver_and_cuda(probe), decision.problem), decision.advice,
          ErrorCode::no_device};
}

Finding devices(const std::string& wanted) {
  try {
    const DeviceChoice choice = choose_devices(wanted);
    const std::string text =
        choice.on_gpu() ? choice.note
                        : fmt::format("{} CPU worker{}", choice.cpu_workers, choice.cpu_workers == 1 ? "" : "s");
    return good("devices", fmt::format("{}: {}", wanted, text));
  } catch (const Error& error) {
    return {"devices", Health::fault, error.what(), error.hint(), error.code()};
  }
}

bool has_entries(const fs::path& folder) {
  std::error_code error;
  const fs::directory_iterator first(folder, error);
  return !error && first != fs::directory_iterator();
}

Finding models() {
  std::vector<std::string_view> found;
  for (const ModelEntry& entry : model_registry()) {
    try {
      // A registry name only: no folder that happens to be called the same.
      static_cast<void>(locate_model(fmt::format("facebook/{}", entry.name), "/nonexistent"));
      found.push_back(entry.name);
    } catch (const Error&) {
      continue;
    }
  }
  if (!found.empty()) return good("models", fmt::format("{}", fmt::join(found, ", ")));
  const char* const given = std::getenv("PLEAT_MODELS");  // NOLINT(concurrency-mt-unsafe)
  const fs::path folder = given != nullptr ? given : "/models";
  std::error_code ignored;
  if (given != nullptr && !fs::is_directory(folder, ignored)) {
    return {"models", Health::warning,
            fmt::format("PLEAT_MODELS is '{}', and there is no such folder", folder.string()),
            fmt::format("mount the folder with the weights there: --volume DIR:{}:ro", folder.string()),
            ErrorCode::missing_input};
  }
  if (has_entries(folder)) {
    return {"models", Health::warning, fmt::format("'{}' holds no published model that is whole", folder.string()),
            fmt::format("see what it lacks with: pleat model verify {}/NAME", folder.string()),
            ErrorCode::missing_input};
  }
  return {"models", Health::warning, "no published model is on this machine",
          "fetch one with 'pleat model fetch NAME', or give a manifest the path of a model's folder",
          ErrorCode::missing_input};
}

// Whether a file can be made in a folder; empty, or why not.
std::string why_not_writable(const fs::path& folder) {
  std::string name = (folder / "pleat-doctor-XXXXXX").string();
  const int file = ::mkstemp(name.data());
  if (file < 0) return std::strerror(errno);  // NOLINT(concurrency-mt-unsafe)
  ::close(file);
  ::unlink(name.c_str());
  return {};
}

Finding folder(const char* subject, const fs::path& path, Health health, const char* advice) {
  if (const std::string why = why_not_writable(path); !why.empty()) {
    return {subject, health, fmt::format("'{}': {}", path.string(), why), advice, ErrorCode::cannot_create};
  }
  std::error_code error;
  const fs::space_info space = fs::space(path, error);
  const std::string free = gigabytes(static_cast<double>(space.available));
  if (!error && static_cast<double>(space.available) < little_disk) {
    return {subject, Health::warning, fmt::format("'{}' has only {} free", path.string(), free),
            "results lie uncompressed beside the output while a run goes on; choose another place with --work-dir",
            ErrorCode::retry};
  }
  return good(subject, fmt::format("'{}', {} free", path.string(), free));
}

Finding temporary_folder() {
  std::error_code error;
  const fs::path path = fs::temp_directory_path(error);
  if (error) {
    return {"temporary", Health::warning, "TMPDIR names no folder", "set TMPDIR to a folder that can be written",
            ErrorCode::cannot_create};
  }
  return folder("temporary", path, Health::warning, "pleat needs none; other tools do: --tmpfs /tmp, or set TMPDIR");
}

Finding working_folder() {
  std::error_code error;
  const fs::path path = fs::current_path(error);
  if (error) {
    return {"working", Health::warning, "the working folder is gone", "change to a folder that is there",
            ErrorCode::cannot_create};
  }
  return folder("working", path, Health::warning,
                "results cannot be written here: mount a folder that this user may write, or give --output");
}

}  // namespace

std::vector<Finding> examine_machine(const DoctorOptions& options) {
  return {good("program", fmt::format("pleat {}", options.program)),
          libraries(),
          processor(),
          processors(),
          memory(),
          devices(options.devices),
          gpu(),
          models(),
          temporary_folder(),
          working_folder()};
}

}  // namespace pleat
