#include "machine/calibration.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/error.h"
#include "core/file.h"
#include "machine/devices.h"
#include "machine/machine.h"
#include "machine/precision.h"
#include "ops/cpu/path.h"

namespace pleat {
namespace {

using Json = nlohmann::ordered_json;

// An empty object where there is no file, or another kind of one.
Json read_file(const std::filesystem::path& file) {
  std::ifstream in(file);
  Json json = Json::parse(in, nullptr, false);
  return json.is_object() ? json : Json::object();
}

}  // namespace

std::filesystem::path calibration_file() {
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  const char* const home = std::getenv("HOME");
  if (cache != nullptr && *cache != '\0') return std::filesystem::path(cache) / "pleat" / "calibration.json";
  if (home != nullptr && *home != '\0') return std::filesystem::path(home) / ".cache" / "pleat" / "calibration.json";
  return {};
}

std::string calibration_key(const Manifest& manifest) {
  const DeviceChoice devices = choose_devices(manifest.run.devices);
  std::string gpus;
  for (const Gpu& gpu : devices.gpus) gpus += gpu.name + ", ";
  return fmt::format("{}{}, {}, {} threads, {}, {}, devices {}, {}", gpus, processor_name(),
                     cpu::path_name(cpu::path()), std::thread::hardware_concurrency(), manifest.model,
                     precision_name(resolve_precision(manifest.run.precision, devices)), manifest.run.devices,
                     manifest.tasks.structure.enabled ? "folding" : "no folding");
}

std::optional<Calibration> find_calibration(const std::filesystem::path& file, const std::string& key) {
  const Json all = read_file(file);
  const auto found = all.find(key);
  if (found == all.end() || !found->is_object()) return std::nullopt;
  const Calibration calibration{found->value("flops_per_second", 0.0), found->value("measured_utc", "")};
  return calibration.flops_per_second > 0 ? std::optional(calibration) : std::nullopt;
}

std::optional<double> bfloat16_speedup(const std::filesystem::path& file, const Manifest& manifest) {
  if (choose_devices(manifest.run.devices).on_gpu()) return std::nullopt;
  const auto rate = [&](Precision precision) {
    Manifest other = manifest;
    other.run.precision = precision;
    const std::optional<Calibration> found = find_calibration(file, calibration_key(other));
    return found ? found->flops_per_second : 0;
  };
  const double whole = rate(Precision::float32);
  const double half = rate(Precision::bfloat16);
  return whole > 0 && half > 0 ? std::optional(half / whole) : std::nullopt;
}

std::string bfloat16_text(double speedup) {
  if (speedup < 1.1) {
    return fmt::format("run.precision: bf16 would not be faster here ({:.2f} times by pleat bench-device)", speedup);
  }
  return fmt::format("run.precision: bf16 would be {:.1f} times as fast here (pleat bench-device), and less exact",
                     speedup);
}

void keep_calibration(const std::filesystem::path& file, const std::string& key, const Calibration& calibration) {
  Json all = read_file(file);
  all[key] = {{"flops_per_second", calibration.flops_per_second}, {"measured_utc", calibration.measured_utc}};
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  if (error) throw_system_error(error.value(), "create the folder", file.parent_path(), ErrorCode::cannot_create);
  std::filesystem::path partial = file;
  partial += ".partial";
  errno = 0;
  std::ofstream out(partial);
  if (!out) throw_system_error(errno, "create", partial, ErrorCode::cannot_create);
  if (!(out << all.dump(2) << '\n').flush()) throw_system_error(errno, "write", partial, ErrorCode::io);
  rename_durably(partial, file);
}

}  // namespace pleat
