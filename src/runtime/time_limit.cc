#include "runtime/time_limit.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "machine/machine.h"

namespace pleat {
namespace {

constexpr std::size_t most_names = 3;
// Kept free at the end of --max-time, for what is under way to be dropped and flushed.
constexpr double flush_seconds = 5;
// A sequence that was computed for so much of the limit and is not done would have no better chance in the next run.
constexpr double most_of_it = 0.8;
// Thirty years: as good as no limit, and less than what the clock can count.
constexpr double longest_limit = 1e9;

// Seconds for each operation, as of the most expensive sequence that is done: cheap ones are mostly overhead. 0 where
// none is known.
double pace_of(const std::vector<double>& flops, const TimeSpent& spent) {
  double dearest = 0;
  double pace = 0;
  for (std::size_t i = 0; i < flops.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    if (flops[i] <= dearest || !spent.is_done(row)) continue;
    const double seconds = spent.seconds_of(row);
    if (seconds <= 0) continue;
    dearest = flops[i];
    pace = seconds / flops[i];
  }
  return pace;
}

std::string name_of(const Dataset& dataset, std::int64_t row) {
  const auto record = std::ranges::find(dataset.records, row, &Record::sequence);
  return fmt::format("'{}' ({} residues)", record == dataset.records.end() ? "" : record->id,
                     dataset.sequences.length(row));
}

}  // namespace

StopToken::Clock::time_point deadline_of(double max_seconds) {
  const std::chrono::duration<double> left(std::min(max_seconds, longest_limit) - flush_seconds - process_seconds());
  return StopToken::Clock::now() + std::chrono::duration_cast<StopToken::Clock::duration>(left);
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 120) return fmt::format("{} s", whole);
  const std::int64_t minutes = (whole + 30) / 60;
  if (minutes < 120) return fmt::format("{} min", minutes);
  return fmt::format("{} h {} min", minutes / 60, minutes % 60);
}

Error time_is_over(const Dataset& dataset, const std::vector<double>& flops, const TimeSpent& spent) {
  const double pace = pace_of(flops, spent);
  std::vector<std::pair<double, std::int64_t>> too_long;  // the estimate, and the row
  std::int64_t left = 0;
  for (std::int64_t row = 0; row < dataset.sequences.size(); ++row) {
    if (spent.is_done(row)) continue;
    ++left;
    const double estimate = pace * flops[static_cast<std::size_t>(row)];
    const double tried = spent.seconds_under_way(row);
    if (estimate > spent.limit || tried > most_of_it * spent.limit)
      too_long.emplace_back(std::max(estimate, tried), row);
  }
  std::string what = "the time of --max-time is over, and not everything is computed";
  if (too_long.empty()) return {ErrorCode::retry, what, "run the same command again: it resumes this run"};
  std::ranges::sort(too_long, std::greater<>());
  const std::string limit = duration_text(spent.limit);
  for (std::size_t i = 0; i < std::min(too_long.size(), most_names); ++i) {
    const auto& [seconds, row] = too_long[i];
    const bool is_estimate = seconds > spent.limit;
    what += fmt::format("; {} {} {}, and --max-time is {}", name_of(dataset, row),
                        is_estimate ? "would take about" : "was not done after", duration_text(seconds), limit);
  }
  if (too_long.size() > most_names) what += fmt::format("; and {} more like these", too_long.size() - most_names);
  const std::string give = "give a longer --max-time, or compute these sequences elsewhere";
  return {ErrorCode::retry, what,
          std::ssize(too_long) < left ? "run the same command again for the others; for these " + give : give};
}

}  // namespace pleat
