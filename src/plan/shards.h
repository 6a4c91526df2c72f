// Which sequences a shard of an array of jobs computes. Pure functions: every job of the array finds the same answer by
// itself.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace pleat {

// Shard `index` of `count`; the first is 1.
struct ShardSpec {
  std::int64_t index = 1;
  std::int64_t count = 1;
};

// "3/8". Throws Error(usage) for anything else.
[[nodiscard]] ShardSpec parse_shard(const std::string& text);

// The file of a part of `output`: results.h5 -> results.shard-3-of-8.h5, in the same folder. A name that has its suffix
// already stays as it is. What writes parts and what looks for them both ask here.
[[nodiscard]] std::filesystem::path part_name(const std::filesystem::path& output, const ShardSpec& shard);

// What the variables of a SLURM array job say: with SLURM_ARRAY_TASK_MIN, _STEP and _COUNT, the task of the i-th ID is
// shard i. `variable` gives a variable's value, nothing where it is not set. Throws Error(usage) outside an array, and
// for an array with gaps, such as 1,4,9, whose IDs do not say how many come before.
[[nodiscard]] ShardSpec slurm_shard(const std::function<std::optional<std::string>(const std::string&)>& variable);

// The shard, from 1, of each sequence: the most expensive first (by row among equals), each to the shard that has the
// least to do so far (the first of them). `costs` is what each sequence costs.
[[nodiscard]] std::vector<std::int64_t> shards_of(const std::vector<double>& costs, std::int64_t count);

}  // namespace pleat
