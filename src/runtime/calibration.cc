#include "runtime/calibration.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/error.h"
#include "core/file.h"
#include "runtime/devices.h"

namespace pleat {
namespace {

using Json = nlohmann::ordered_json;

std::string processor_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown processor";
}

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
  std::string gpus;
  for (const Gpu& gpu : choose_devices(manifest.run.devices).gpus) gpus += gpu.name + ", ";
  return fmt::format("{}{}, {} threads, {}, precision {}, devices {}, {}", gpus, processor_name(),
                     std::thread::hardware_concurrency(), manifest.model, static_cast<int>(manifest.run.precision),
                     manifest.run.devices, manifest.tasks.structure.enabled ? "folding" : "no folding");
}

std::optional<Calibration> find_calibration(const std::filesystem::path& file, const std::string& key) {
  const Json all = read_file(file);
  const auto found = all.find(key);
  if (found == all.end() || !found->is_object()) return std::nullopt;
  const Calibration calibration{found->value("flops_per_second", 0.0), found->value("measured_utc", "")};
  return calibration.flops_per_second > 0 ? std::optional(calibration) : std::nullopt;
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
