#include "sequence/sequence_index.h"

#include <algorithm>
#include <functional>

namespace pleat {

std::size_t SequenceIndex::Hash::operator()(const Content& content) const {
  const std::hash<std::string_view> hash;
  const std::size_t of_residues = hash(content.residues);
  // Nearly every sequence is one chain, whose numbers add nothing.
  if (content.chain.empty() || content.chain.back() == 0) return of_residues;
  const std::string_view bytes(reinterpret_cast<const char*>(content.chain.data()), content.chain.size_bytes());
  constexpr std::size_t odd = 0x9E3779B97F4A7C15U;
  return of_residues * odd + hash(bytes);
}

bool SequenceIndex::Equal::operator()(const Content& a, std::int64_t b) const {
  const Content other = content(*table, b);
  return a.residues == other.residues && std::equal(a.chain.begin(), a.chain.end(), other.chain.begin());
}

std::int64_t SequenceIndex::find_or_append(std::string_view residues, std::span<const std::uint16_t> chain) {
  const auto found = rows_.find(Content{residues, chain});
  if (found != rows_.end()) return *found;
  const std::int64_t row = table_.append(residues, chain);
  rows_.insert(row);
  return row;
}

void SequenceIndex::shrink(std::int64_t size) {
  for (std::int64_t row = size; row < table_.size(); ++row) rows_.erase(row);
  table_.shrink(size);
}

}  // namespace pleat
