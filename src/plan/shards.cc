#include "plan/shards.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <queue>
#include <string_view>
#include <utility>

#include "core/error.h"

namespace pleat {
namespace {

constexpr std::int64_t most_shards = 1'000'000;

std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

ShardSpec parse_shard(const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash != std::string::npos) {
    const std::string_view view = text;
    const auto index = number_in(view.substr(0, slash));
    const auto count = number_in(view.substr(slash + 1));
    if (index && count && *index >= 1 && *index <= *count && *count <= most_shards) return {*index, *count};
  }
  throw Error(ErrorCode::usage, "'" + text + "' is no shard",
              "write it I/N, with I from 1 to N, such as 3/8; or slurm-array inside a SLURM array job");
}

std::filesystem::path part_name(const std::filesystem::path& output, const ShardSpec& shard) {
  const std::string suffix = ".shard-" + std::to_string(shard.index) + "-of-" + std::to_string(shard.count);
  std::filesystem::path name = output.stem();
  if (!name.string().ends_with(suffix)) name += suffix;
  name += output.extension();
  return output.parent_path() / name;
}

ShardSpec slurm_shard(const std::function<std::optional<std::string>(const std::string&)>& variable) {
  const auto value = [&](const std::string& name) {
    const std::string full = "SLURM_ARRAY_TASK_" + name;
    const std::optional<std::string> text = variable(full);
    if (!text) {
      throw Error(ErrorCode::usage, "--shard slurm-array: the variable " + full + " is not set",
                  "it is set inside a job that sbatch --array started; elsewhere give --shard I/N");
    }
    const std::optional<std::int64_t> number = number_in(*text);
    if (!number || *number < 0) {
      throw Error(ErrorCode::usage, "--shard slurm-array: " + full + " is '" + *text + "', which is no number");
    }
    return *number;
  };
  const std::int64_t id = value("ID");
  const std::int64_t first = value("MIN");
  const std::int64_t last = value("MAX");
  const std::int64_t step = std::max<std::int64_t>(1, value("STEP"));
  const std::int64_t count = value("COUNT");
  const bool even = count >= 1 && last == first + step * (count - 1);
  if (!even || id < first || id > last || (id - first) % step != 0) {
    throw Error(ErrorCode::usage,
                "--shard slurm-array: the IDs of this array have gaps, and say not which shard a task is",
                "submit an array such as 1-8 or 1-15:2, or give each task its --shard I/N");
  }
  return {(id - first) / step + 1, count};
}

std::vector<std::int64_t> shards_of(const std::vector<double>& costs, std::int64_t count) {
  std::vector<std::size_t> order(costs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order,
                    [&](std::size_t a, std::size_t b) { return costs[a] != costs[b] ? costs[a] > costs[b] : a < b; });
  // The least load on top, and of equal ones the first shard.
  using Load = std::pair<double, std::int64_t>;
  std::priority_queue<Load, std::vector<Load>, std::greater<>> loads;
  for (std::int64_t shard = 1; shard <= count; ++shard) loads.emplace(0.0, shard);
  std::vector<std::int64_t> shards(costs.size());
  for (const std::size_t row : order) {
    const auto [load, shard] = loads.top();
    loads.pop();
    shards[row] = shard;
    loads.emplace(load + costs[row], shard);
  }
  return shards;
}

}  // namespace pleat
