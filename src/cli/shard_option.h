// The option --shard.
#pragma once

#include <optional>
#include <string>

#include "plan/shards.h"

namespace pleat::cli {

// "I/N", or "slurm-array", which reads SLURM's variables: the only ones of the environment that decide what is
// computed. Nothing for an empty text. Throws Error(usage).
[[nodiscard]] std::optional<ShardSpec> shard_in(const std::string& text);

}  // namespace pleat::cli
