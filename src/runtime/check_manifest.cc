#include "runtime/check_manifest.h"

#include <limits>
#include <optional>

#include "plan/shards.h"
#include "results/check_records.h"
#include "results/result_reader.h"
#include "runtime/prepare.h"

namespace pleat {
std::vector<ResultProblem> check_manifest(const std::filesystem::path& file, const Manifest& manifest) {
  const ResultReader reader(file);
  Manifest here = manifest;
  // What the run had is not needed to look at its results.
  here.run.devices = "cpu";
  here.run.precision = Precision::automatic;
  PrepareOptions options{.longest_tokens = std::numeric_limits<std::int64_t>::max()};
  if (const std::optional<ShardPart>& shard = reader.shard()) options.shard = ShardSpec{shard->index, shard->count};
  Silence silence;
  const PreparedJob job = prepare_job(here, options, silence);
  std::vector<ResultProblem> problems = check_records(reader, job.dataset, job.layout);
  if (reader.attributes().model_name != manifest.model) {
    problems.push_back(
        {"/", "the model is " + reader.attributes().model_name + ", and " + manifest.model + " in the manifest"});
  }
  return problems;
}

}  // namespace pleat
