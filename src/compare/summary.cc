#include "compare/summary.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pleat {
namespace {

// Whether `value` is worse than `other`.
bool is_worse(const Measure& measure, double value, double other) {
  return measure.larger_is_better ? value < other : value > other;
}

}  // namespace

DifferenceSummary::DifferenceSummary(const std::vector<Measure>& measures, const std::vector<Limit>& limits)
    : limits_(limits) {
  for (const Measure& measure : measures) {
    MeasureSummary summary;
    summary.measure = measure;
    for (const Limit& limit : limits) {
      if (limit.kind == measure.kind) summary.limit = limit.value;
    }
    measures_.push_back(std::move(summary));
  }
}

void DifferenceSummary::add(const RecordDifference& difference) {
  for (std::size_t i = 0; i < measures_.size(); ++i) {
    MeasureSummary& summary = measures_[i];
    const double value = difference.values[i];
    if (std::isnan(value)) continue;
    if (summary.count++ == 0 || is_worse(summary.measure, value, summary.worst)) {
      summary.worst = value;
      summary.worst_id = difference.id;
    }
    summary.mean += value;
    if (summary.limit && is_worse(summary.measure, value, *summary.limit)) ++summary.beyond;
  }
}

std::vector<MeasureSummary> DifferenceSummary::measures() const {
  std::vector<MeasureSummary> done = measures_;
  for (MeasureSummary& summary : done) {
    if (summary.count == 0) summary.mean = summary.worst = std::numeric_limits<double>::quiet_NaN();
    if (summary.count > 0) summary.mean /= static_cast<double>(summary.count);
  }
  return done;
}

bool DifferenceSummary::is_kept() const {
  return never_compared().empty() &&
         std::ranges::all_of(measures_, [](const MeasureSummary& summary) { return summary.is_kept(); });
}

std::vector<std::string> DifferenceSummary::never_compared() const {
  std::vector<std::string> kinds;
  for (const Limit& limit : limits_) {
    const bool is_compared = std::ranges::any_of(measures_, [&](const MeasureSummary& summary) {
      return summary.measure.kind == limit.kind && summary.count > 0;
    });
    if (!is_compared) kinds.push_back(limit.kind);
  }
  return kinds;
}

}  // namespace pleat
