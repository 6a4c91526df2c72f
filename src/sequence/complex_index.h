// Finds equal complexes, though they may be cut into A and B in different places.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_set>
#include <vector>

#include "sequence/dataset.h"

namespace pleat {

class ComplexIndex {
 public:
  using Rows = std::array<std::int32_t, 2>;  // of the sequences of A and B

  // `parts` are the sequences; `unique` must outlive the index and grow through it alone.
  ComplexIndex(const SequenceTable& parts, std::vector<Rows>& unique);

  // The place in `unique` of a complex with the same chains, or of this one, appended.
  std::int32_t find_or_append(const Rows& rows);

 private:
  [[nodiscard]] std::span<const std::int32_t> chains_of(std::int32_t part) const {
    return std::span(chains_).subspan(begins_[part], begins_[part + 1] - begins_[part]);
  }
  [[nodiscard]] std::size_t hash_of(const Rows& rows) const;
  [[nodiscard]] bool are_same(const Rows& one, const Rows& other) const;

  struct Hash {
    using is_transparent = void;
    const ComplexIndex* index;
    std::size_t operator()(const Rows& rows) const { return index->hash_of(rows); }
    std::size_t operator()(std::int32_t place) const { return index->hash_of(index->unique_[place]); }
  };
  struct Equal {
    using is_transparent = void;
    const ComplexIndex* index;
    bool operator()(std::int32_t a, std::int32_t b) const { return a == b; }
    bool operator()(const Rows& a, std::int32_t b) const { return index->are_same(a, index->unique_[b]); }
    bool operator()(std::int32_t a, const Rows& b) const { return index->are_same(index->unique_[a], b); }
  };

  std::vector<Rows>& unique_;
  std::vector<std::int32_t> chains_;    // a number for each chain of each part; equal chains have one
  std::vector<std::size_t> begins_{0};  // where those of each part begin
  std::unordered_set<std::int32_t, Hash, Equal> places_;
};

}  // namespace pleat
