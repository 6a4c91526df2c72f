#include "cli/shard_option.h"

#include <cstdlib>

namespace pleat::cli {

std::optional<ShardSpec> shard_in(const std::string& text) {
  if (text.empty()) return std::nullopt;
  if (text != "slurm-array") return parse_shard(text);
  return slurm_shard([](const std::string& name) {
    const char* const value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  });
}

}  // namespace pleat::cli
