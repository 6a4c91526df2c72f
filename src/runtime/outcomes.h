// How the sequences of a run ended, and what that makes of its records.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "results/result_writer.h"
#include "runtime/job.h"
#include "sequence/dataset.h"

namespace pleat {

class Outcomes {
 public:
  explicit Outcomes(const Dataset& dataset)
      : dataset_(dataset), failed_(static_cast<std::size_t>(dataset.sequences.size())) {}

  void add(const SequenceResult& result);
  void count_records(RunSummary& summary) const;
  // One line for each kind of note that results came with: "2 records with suspicious_structure; ...".
  [[nodiscard]] std::vector<std::string> warnings() const;

 private:
  const Dataset& dataset_;
  std::vector<bool> failed_;                   // per unique sequence
  std::map<std::int64_t, std::string> notes_;  // unique sequence -> code
};

// "3 records with bad_residue; /records/message says more".
[[nodiscard]] std::string records_warning(std::int64_t count, const std::string& code);

// Adds a note to a result; the code of an earlier one stays.
void add_note(SequenceResult& result, RecordCode code, const std::string& message);

}  // namespace pleat
