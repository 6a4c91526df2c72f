// Finds the row of a sequence by its content; the residues themselves stay in the table alone.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_set>

#include "sequence/dataset.h"

namespace pleat {

class SequenceIndex {
 public:
  // `table` must outlive the index and grow through it alone.
  explicit SequenceIndex(SequenceTable& table) : table_(table), rows_(0, Hash{&table}, Equal{&table}) {}

  // The row of an equal sequence (same residues, same chain breaks), or of this one, appended.
  std::int64_t find_or_append(std::string_view residues, std::span<const std::uint16_t> chain);
  // Forgets all rows from `size` on, in the table too.
  void shrink(std::int64_t size);

 private:
  struct Content {
    std::string_view residues;
    std::span<const std::uint16_t> chain;
  };
  static Content content(const SequenceTable& table, std::int64_t row) {
    return {table.residues(row), table.chain(row)};
  }

  struct Hash {
    using is_transparent = void;
    const SequenceTable* table;
    std::size_t operator()(const Content& content) const;
    std::size_t operator()(std::int64_t row) const { return (*this)(content(*table, row)); }
  };
  struct Equal {
    using is_transparent = void;
    const SequenceTable* table;
    bool operator()(std::int64_t a, std::int64_t b) const { return a == b; }
    bool operator()(const Content& a, std::int64_t b) const;
    bool operator()(std::int64_t a, const Content& b) const { return (*this)(b, a); }
  };

  SequenceTable& table_;
  std::unordered_set<std::int64_t, Hash, Equal> rows_;
};

}  // namespace pleat
