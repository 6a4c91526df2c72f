// The numbers by which a work folder knows the sequences.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace pleat {

// Rows of the sequence table change from one run to the next, since sequences that do not fit into the memory of a run
// are not in its table. Their keys do not.
class RowKeys {
 public:
  RowKeys() = default;
  // The key of each row, rising. Empty: the keys are the rows.
  explicit RowKeys(std::vector<std::int64_t> keys) : keys_(std::move(keys)) {}

  [[nodiscard]] std::int64_t key(std::int64_t row) const {
    return keys_.empty() ? row : keys_[static_cast<std::size_t>(row)];
  }
  // The row in a table of `rows`; nothing where it is not in there.
  [[nodiscard]] std::optional<std::int64_t> row(std::int64_t key, std::int64_t rows) const {
    if (keys_.empty()) return key >= 0 && key < rows ? std::optional(key) : std::nullopt;
    const auto found = std::ranges::lower_bound(keys_, key);
    if (found == keys_.end() || *found != key) return std::nullopt;
    return found - keys_.begin();
  }

 private:
  std::vector<std::int64_t> keys_;
};

}  // namespace pleat
