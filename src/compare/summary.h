// What the differences of many records come to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compare/compare.h"

namespace pleat {

// Of one measure.
struct MeasureSummary {
  Measure measure;
  std::int64_t count = 0;       // records that have it
  double mean = 0;              // NaN without records
  double worst = 0;             // likewise
  std::string worst_id;         // the record it is of
  std::optional<double> limit;  // what it was not to exceed, or to fall below
  std::int64_t beyond = 0;      // records beyond the limit

  [[nodiscard]] bool is_kept() const { return beyond == 0; }
};

// For all measures of a kind.
struct Limit {
  std::string kind;  // "cosine"
  double value = 0;
};

class DifferenceSummary {
 public:
  DifferenceSummary(const std::vector<Measure>& measures, const std::vector<Limit>& limits);

  void add(const RecordDifference& difference);
  [[nodiscard]] std::vector<MeasureSummary> measures() const;
  // Whether every measure of every record is within its limit, and every limit was looked at in some record.
  [[nodiscard]] bool is_kept() const;
  // The kinds with a limit that no record has.
  [[nodiscard]] std::vector<std::string> never_compared() const;

 private:
  std::vector<Limit> limits_;
  std::vector<MeasureSummary> measures_;  // `mean` holds the sum
};

}  // namespace pleat
