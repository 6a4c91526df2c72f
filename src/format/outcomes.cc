#include "format/outcomes.h"

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "core/record_code.h"

namespace pleat {

SequenceOutcomes::SequenceOutcomes(std::int64_t sequences)
    : seconds_(static_cast<std::size_t>(sequences), std::numeric_limits<double>::quiet_NaN()),
      attempts_(static_cast<std::size_t>(sequences), unknown),
      rung_(static_cast<std::size_t>(sequences), MemoryRung::planned),
      device_(static_cast<std::size_t>(sequences), no_device),
      not_computed_{std::string(word_of(RecordCode::not_computed)), "the run ended before this sequence was computed"} {
}

void SequenceOutcomes::check_new(std::int64_t row) const {
  const std::string name = "sequence row " + std::to_string(row);
  if (row < 0 || row >= static_cast<std::int64_t>(seconds_.size())) {
    throw Error(ErrorCode::internal, "there is no " + name);
  }
  if (is_known(row)) throw Error(ErrorCode::internal, name + " was added twice");
}

void SequenceOutcomes::keep(const SequenceResult& result) {
  check_new(result.row);
  const auto row = static_cast<std::size_t>(result.row);
  device_[row] = device_number(result.device);
  seconds_[row] = result.seconds;
  attempts_[row] = std::max<std::int32_t>(0, result.attempts);
  rung_[row] = result.rung;
  if (!result.failed && result.error_code.empty() && result.message.empty()) return;
  (result.failed ? failures_ : notes_).emplace(result.row, Reason{result.error_code, result.message});
}

std::int32_t SequenceOutcomes::attempts(std::int64_t row) const {
  return is_known(row) ? attempts_[static_cast<std::size_t>(row)] : 0;
}

const std::string& SequenceOutcomes::device(std::int64_t row) const {
  return device_names_[device_[static_cast<std::size_t>(row)]];
}

const SequenceOutcomes::Reason* SequenceOutcomes::failure(std::int64_t row) const {
  if (!is_known(row)) return &not_computed_;
  const auto found = failures_.find(row);
  return found == failures_.end() ? nullptr : &found->second;
}

const SequenceOutcomes::Reason* SequenceOutcomes::note_on(std::int64_t row) const {
  const auto found = notes_.find(row);
  return found == notes_.end() ? nullptr : &found->second;
}

std::uint16_t SequenceOutcomes::device_number(const std::string& name) {
  const auto number = std::find(device_names_.begin(), device_names_.end(), name) - device_names_.begin();
  if (number == std::ssize(device_names_)) device_names_.push_back(name);
  return static_cast<std::uint16_t>(number);
}

}  // namespace pleat
