#include "engine/ladder.h"

#include <algorithm>
#include <utility>

namespace pleat {
namespace {

std::vector<Attempt> halves(const Attempt& failed, const PipelineJob& job) {
  const std::vector<std::int64_t>& rows = failed.batch.rows;
  const auto middle = rows.begin() + static_cast<std::ptrdiff_t>(rows.size() / 2);
  std::vector<Attempt> attempts{part_of(failed, {rows.begin(), middle}, job),
                                part_of(failed, {middle, rows.end()}, job)};
  for (Attempt& attempt : attempts) attempt.rung = MemoryRung::smaller_batch;
  return attempts;
}

std::vector<Attempt> each_row(const Attempt& failed, const PipelineJob& job) {
  std::vector<Attempt> attempts;
  attempts.reserve(failed.batch.rows.size());
  for (const std::int64_t row : failed.batch.rows) attempts.push_back(part_of(failed, {row}, job));
  return attempts;
}

}  // namespace

Attempt part_of(const Attempt& whole, std::vector<std::int64_t> rows, const PipelineJob& job) {
  Attempt part = whole;
  part.batch = job.batch_of(std::move(rows));
  ++part.number;
  if (whole.batch.tokens > 0) {
    part.seconds_before *= static_cast<double>(part.batch.tokens) / static_cast<double>(whole.batch.tokens);
  }
  return part;
}

std::vector<Attempt> next_attempts(const Attempt& failed, Trouble trouble, bool company,
                                   const std::vector<std::int64_t>& chunks, const PipelineJob& job) {
  if (failed.batch.rows.size() > 1) return trouble == Trouble::memory ? halves(failed, job) : each_row(failed, job);
  Attempt next = part_of(failed, failed.batch.rows, job);
  if (trouble == Trouble::numbers) {
    if (failed.effort.in_float32) return {};
    next.effort.in_float32 = true;
    return {next};
  }
  if (trouble == Trouble::memory) {
    const auto chunk = std::ranges::find_if(
        chunks, [&](std::int64_t size) { return failed.effort.chunk_size == 0 || size < failed.effort.chunk_size; });
    if (chunk != chunks.end()) {
      next.effort.chunk_size = *chunk;
      next.rung = MemoryRung::smaller_chunk;
      return {next};
    }
    if (next.rung == MemoryRung::planned) next.rung = MemoryRung::smaller_batch;
  }
  if (!company) return {};
  next.alone = true;
  return {next};
}

}  // namespace pleat
