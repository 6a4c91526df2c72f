// Which pairs of records there are.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/stop.h"
#include "sequence/dataset.h"
#include "sequence/input_file.h"

namespace pleat {

struct PairRule {
  std::filesystem::path file = {};               // a table of them; empty: each two records, in the order of the inputs
  std::array<std::string, 2> columns{"a", "b"};  // of the table
  // Without a table: ids of records. Then each bait is paired with each other record, in the order of the inputs; two
  // baits once.
  std::optional<std::vector<std::string>> baits = {};
  bool self = false;            // without a table: also each record, or bait, with itself
  std::string separator = "_";  // between the ids of A and B in the id of a complex
};

class PairList {
 public:
  static constexpr std::int32_t none = -1;
  using Places = std::array<std::int32_t, 2>;  // of A and B

  // Of these records, which must outlive the list. Throws as read_pair_table() does, Error(missing_input) where two
  // pairs have one id or, without a table, two records, Error(bad_manifest) for a bait that is not there, and Stopped.
  PairList(const PairRule& rule, const std::vector<Record>& records, const StopToken* stop = nullptr);

  [[nodiscard]] std::int64_t size() const { return std::ssize(pairs_); }
  // Rows of the records; `none` where a table names a record that is not there.
  [[nodiscard]] const Places& places(std::int64_t pair) const { return pairs_[static_cast<std::size_t>(pair)]; }
  [[nodiscard]] std::string id(std::int64_t pair) const;
  [[nodiscard]] std::array<std::string, 2> names(std::int64_t pair) const;  // of A and B
  // Why there is no such pair: a row of a table that cannot be read, or names what is not there.
  struct Refusal {
    RecordCode code;
    std::string message;
  };
  [[nodiscard]] const Refusal* refusal(std::int64_t pair) const;

  [[nodiscard]] const std::optional<InputReport>& table() const { return table_; }
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  // What of a table's row its records do not tell.
  struct Own {
    std::string id;
    std::array<std::string, 2> names;  // where a record was not found
    std::optional<Refusal> refusal;
    bool is_readable = true;
  };

  void read_table(const PairRule& rule, const StopToken* stop);
  void add_row(struct PairRow& row, const class RecordNames& names);
  void pair_all(bool self);
  void pair_baits(const std::vector<std::string>& baits, bool self);
  void warn_of_both_orders();
  void check_ids(const StopToken* stop) const;
  [[nodiscard]] const Own* own(std::int64_t pair) const;
  [[nodiscard]] std::string place_text(std::int64_t pair) const;

  const std::vector<Record>& records_;
  std::string separator_;
  std::vector<Places> pairs_;
  std::vector<std::int64_t> lines_;   // of each pair, where they come from a table
  std::map<std::int64_t, Own> owns_;  // by pair
  std::optional<InputReport> table_;
  std::vector<std::string> warnings_;
};

}  // namespace pleat
