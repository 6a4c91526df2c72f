#include "sequence/complex_index.h"

#include <string_view>
#include <unordered_map>

namespace pleat {

ComplexIndex::ComplexIndex(const SequenceTable& parts, std::vector<Rows>& unique)
    : unique_(unique), places_(0, Hash{this}, Equal{this}) {
  std::unordered_map<std::string_view, std::int32_t> known;
  for (std::int64_t row = 0; row < parts.size(); ++row) {
    const std::span<const std::uint16_t> chain = parts.chain(row);
    for (std::size_t begin = 0; begin < chain.size();) {
      std::size_t end = begin;
      while (end < chain.size() && chain[end] == chain[begin]) ++end;
      const std::string_view residues = parts.residues(row).substr(begin, end - begin);
      chains_.push_back(known.try_emplace(residues, static_cast<std::int32_t>(known.size())).first->second);
      begin = end;
    }
    begins_.push_back(chains_.size());
  }
}

std::int32_t ComplexIndex::find_or_append(const Rows& rows) {
  const auto found = places_.find(rows);
  if (found != places_.end()) return *found;
  const auto place = static_cast<std::int32_t>(unique_.size());
  unique_.push_back(rows);
  places_.insert(place);
  return place;
}

std::size_t ComplexIndex::hash_of(const Rows& rows) const {
  constexpr std::size_t odd = 0x9E3779B97F4A7C15U;
  std::size_t hash = 0;
  for (const std::int32_t row : rows) {
    for (const std::int32_t chain : chains_of(row)) {
      hash = (hash + static_cast<std::size_t>(chain) + 1) * odd;
      hash ^= hash >> 32U;
    }
  }
  return hash;
}

bool ComplexIndex::are_same(const Rows& one, const Rows& other) const {
  const auto all = [this](const Rows& rows) {
    std::vector<std::int32_t> chains;
    for (const std::int32_t row : rows) {
      const std::span<const std::int32_t> own = chains_of(row);
      chains.insert(chains.end(), own.begin(), own.end());
    }
    return chains;
  };
  return one == other || all(one) == all(other);
}

}  // namespace pleat
