#include "ops/cuda_plugin.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <string_view>

namespace pleat {
namespace {

namespace fs = std::filesystem;

constexpr const char* file_name = "libpleat_cuda.so";

std::string loader_error() {
  const char* const text = ::dlerror();  // NOLINT(concurrency-mt-unsafe)
  return text != nullptr ? text : "unknown error";
}

std::string plugin_path() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe)
  if (const char* const given = std::getenv("PLEAT_CUDA_PLUGIN"); given != nullptr && *given != '\0') return given;
  std::error_code error;
  const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path& candidate : {folder / file_name, folder.parent_path() / "lib" / file_name}) {
    if (fs::exists(candidate, error)) return candidate.string();
  }
  return (folder / file_name).string();
}

}  // namespace

PluginResult load_cuda_plugin_from(const std::string& path) {
  PluginResult result;
  result.path = path;
  std::error_code error;
  if (!fs::exists(path, error)) return result;
  // By its whole path, so that the loader does not look anywhere else.
  void* const library = ::dlopen(fs::absolute(path).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    result.state = PluginState::unloadable;
    result.problem = loader_error();
    return result;
  }
  const auto abi = reinterpret_cast<decltype(&pleat_cuda_abi)>(::dlsym(library, "pleat_cuda_abi"));
  const auto plugin = reinterpret_cast<decltype(&pleat_cuda_plugin)>(::dlsym(library, "pleat_cuda_plugin"));
  if (abi == nullptr || plugin == nullptr || std::string_view(abi()) != PLEAT_CUDA_ABI) {
    result.state = PluginState::other_version;
    result.problem = abi == nullptr ? "one that does not say its version" : abi();
    ::dlclose(library);
    return result;
  }
  result.state = PluginState::loaded;
  result.plugin = plugin();
  set_device_ops(at::kCUDA, result.plugin->ops);
  return result;
}

const PluginResult& load_cuda_plugin() {
  static const PluginResult result = load_cuda_plugin_from(plugin_path());
  return result;
}

}  // namespace pleat
