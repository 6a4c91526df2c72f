// Complexes of two records of the inputs each: the chains of A and then those of B, as if A:B had been written. Only
// which records a complex has is kept, so that a plan of many complexes needs little memory.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/stop.h"
#include "sequence/dataset.h"
#include "sequence/pair_list.h"
#include "sequence/reader.h"

namespace pleat {

class Complexes {
 public:
  // Reads the inputs and the table. A pair of records that cannot be found or were rejected is a rejected record.
  // Throws as read_inputs() and PairList do, and Stopped, as dataset() and shard() do: options.stop must outlive this.
  Complexes(const std::vector<InputFile>& inputs, const PairRule& rule, const ReadOptions& options);
  ~Complexes() = default;
  Complexes(const Complexes&) = delete;
  Complexes& operator=(const Complexes&) = delete;
  Complexes(Complexes&&) = delete;
  Complexes& operator=(Complexes&&) = delete;

  [[nodiscard]] std::int64_t part_count() const { return std::ssize(parts_.records); }  // records of the inputs
  [[nodiscard]] std::int64_t size() const { return pairs_.size(); }
  // Of each unique complex, in the order of their first appearance.
  [[nodiscard]] std::vector<InputSurvey::Size> sizes() const;

  // Without the residues, as survey_inputs() gives it of records.
  [[nodiscard]] InputSurvey survey() const;
  [[nodiscard]] Dataset dataset() const;
  // The complexes of one of `count` shards; `shards` has the shard of each unique complex, from 1.
  [[nodiscard]] Dataset shard(const std::vector<std::int64_t>& shards, std::int64_t index, std::int64_t count) const;

 private:
  using Rows = std::array<std::int32_t, 2>;  // of the sequences of A and B

  void find_unique(bool share);
  void judge_all();
  [[nodiscard]] Rows rows_of(std::int64_t pair) const;
  [[nodiscard]] InputSurvey::Size size_of(const Rows& rows) const;
  struct Refusal {
    std::string word;
    std::string message;
  };
  [[nodiscard]] std::optional<Refusal> refusal(std::int64_t pair) const;
  [[nodiscard]] Record record_of(std::int64_t pair) const;
  void append(std::int64_t place, SequenceTable& table) const;
  void append_record(std::int64_t pair, std::int64_t row, Dataset& dataset) const;

  Dataset parts_;  // the inputs as they are read
  PairList pairs_;
  std::int64_t max_length_;
  const StopToken* stop_;             // may be null
  std::vector<std::int32_t> places_;  // of each pair in `unique_`; -1 where it is refused
  std::vector<Rows> unique_;
  std::map<std::string, std::int64_t> rejected_;
  std::map<std::string, std::int64_t> noted_;
  std::string sha256_;
};

}  // namespace pleat
