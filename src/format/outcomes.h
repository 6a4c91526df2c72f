// What became of each unique sequence, apart from the numbers computed for it.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "format/sequence_result.h"

namespace pleat {

// What happened to each unique sequence, apart from the numbers computed for it.
class SequenceOutcomes {
 public:
  struct Reason {
    std::string error_code;
    std::string message;
  };

  explicit SequenceOutcomes(std::int64_t sequences);
  // Throws Error(internal) when there is no such row, or its outcome is known already.
  void check_new(std::int64_t row) const;
  // Keeps what a result says about its run.
  void keep(const SequenceResult& result);

  [[nodiscard]] bool is_known(std::int64_t row) const { return attempts_[static_cast<std::size_t>(row)] != unknown; }
  [[nodiscard]] double seconds(std::int64_t row) const { return seconds_[static_cast<std::size_t>(row)]; }
  [[nodiscard]] std::int32_t attempts(std::int64_t row) const;
  [[nodiscard]] MemoryRung rung(std::int64_t row) const { return rung_[static_cast<std::size_t>(row)]; }
  [[nodiscard]] const std::string& device(std::int64_t row) const;
  // Why the sequence has no numbers; null where it has.
  [[nodiscard]] const Reason* failure(std::int64_t row) const;
  // What is to be said about a sequence that has numbers; null where there is nothing.
  [[nodiscard]] const Reason* note_on(std::int64_t row) const;

 private:
  static constexpr std::int32_t unknown = -1;
  static constexpr std::uint16_t no_device = 0;

  std::uint16_t device_number(const std::string& name);

  std::vector<double> seconds_;
  std::vector<std::int32_t> attempts_;
  std::vector<MemoryRung> rung_;
  std::vector<std::uint16_t> device_;
  std::vector<std::string> device_names_{""};
  std::unordered_map<std::int64_t, Reason> failures_;
  std::unordered_map<std::int64_t, Reason> notes_;
  Reason not_computed_;
};

}  // namespace pleat
