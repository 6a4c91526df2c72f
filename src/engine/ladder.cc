#include "engine/ladder.h"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "core/stop.h"

namespace pleat {
namespace {

enum class Trouble : std::uint8_t { memory, other };

// To be called in a catch block. Throws on what belongs to the device or the run and not to a sequence.
Trouble trouble_of_current_exception(std::string& what) {
  try {
    throw;
  } catch (const Stopped&) {
    throw;
  } catch (const DeviceLost&) {
    throw;
  } catch (const OutOfMemory&) {
    return Trouble::memory;
  } catch (const std::bad_alloc&) {
    return Trouble::memory;
  } catch (const std::exception& error) {
    what = error.what();
    return Trouble::other;
  }
}

bool is_out_of_memory(const SequenceResult& result) {
  return result.failed && result.error_code == error_out_of_memory;
}

}  // namespace

Pending Ladder::begin(const std::vector<std::int64_t>& rows) const {
  try {
    return device_.begin(rows);
  } catch (...) {
    return [error = std::current_exception()]() -> std::vector<SequenceResult> { std::rethrow_exception(error); };
  }
}

std::vector<SequenceResult> Ladder::finish(const std::vector<std::int64_t>& rows, const Pending& first_attempt) {
  results_.clear();
  results_.resize(rows.size());
  places_.clear();
  for (std::size_t i = 0; i < rows.size(); ++i) places_[rows[i]] = i;
  take(rows, first_attempt, 1, MemoryRung::planned);
  return std::move(results_);
}

void Ladder::compute(const std::vector<std::int64_t>& rows, std::int32_t attempt, MemoryRung rung) {
  take(rows, begin(rows), attempt, rung);
}

void Ladder::take(const std::vector<std::int64_t>& rows, const Pending& pending, std::int32_t attempt,
                  MemoryRung rung) {
  std::string what;
  Trouble trouble{};
  std::vector<SequenceResult> results;
  try {
    results = pending();
  } catch (const std::exception&) {
    trouble = trouble_of_current_exception(what);
    if (rows.size() > 1 && trouble == Trouble::other) return compute_each(rows, attempt + 1, rung);
    if (rows.size() > 1) {
      const auto middle = rows.begin() + static_cast<std::ptrdiff_t>(rows.size() / 2);
      compute({rows.begin(), middle}, attempt + 1, MemoryRung::smaller_batch);
      return compute({middle, rows.end()}, attempt + 1, MemoryRung::smaller_batch);
    }
    if (trouble == Trouble::other) return keep(failed_result(rows.front(), "compute_failed", what), attempt, rung);
    return compute_frugally(rows.front(), attempt + 1);
  }
  for (SequenceResult& result : results) {
    if (is_out_of_memory(result)) {
      compute_frugally(result.row, attempt + 1);
    } else {
      keep(std::move(result), attempt, rung);
    }
  }
}

void Ladder::compute_each(const std::vector<std::int64_t>& rows, std::int32_t attempt, MemoryRung rung) {
  for (const std::int64_t row : rows) compute({row}, attempt, rung);
}

void Ladder::compute_frugally(std::int64_t row, std::int32_t attempt) {
  Effort effort;
  for (const std::int64_t chunk : device_.smaller_chunks()) {
    effort.chunk_size = chunk;
    if (try_with(row, effort, attempt++, MemoryRung::smaller_chunk)) return;
  }
  if (lower_precision_ && device_.has_lower_precision()) {
    effort.lower_precision = true;
    if (try_with(row, effort, attempt++, MemoryRung::lower_precision)) return;
  }
  keep(failed_result(row, error_out_of_memory, "there is not enough memory: " + device_.need_of(row)), attempt - 1,
       MemoryRung::planned);
}

bool Ladder::try_with(std::int64_t row, const Effort& effort, std::int32_t attempt, MemoryRung rung) {
  std::string what;
  try {
    SequenceResult result = std::move(device_.compute({row}, effort).front());
    if (is_out_of_memory(result)) return false;
    keep(std::move(result), attempt, rung);
    return true;
  } catch (const std::exception&) {
    if (trouble_of_current_exception(what) == Trouble::memory) return false;
    keep(failed_result(row, "compute_failed", what), attempt, rung);
    return true;
  }
}

void Ladder::keep(SequenceResult result, std::int32_t attempt, MemoryRung rung) {
  result.attempts = attempt;
  result.rung = result.failed ? MemoryRung::planned : rung;
  const std::size_t place = places_.at(result.row);
  results_[place] = std::move(result);
}

}  // namespace pleat
