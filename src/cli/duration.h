// Lengths of time as people write them.
#pragma once

#include <string>

namespace pleat::cli {

// Seconds in "3h55m", "90m", "45s", "1d12h" or "14100", and as SLURM writes them: "55:00" (minutes), "03:55:00", "1-02"
// (days and hours), "1-02:00:00". Throws Error(usage) for anything else and for nothing at all.
[[nodiscard]] double seconds_in(const std::string& text);

}  // namespace pleat::cli
