#include "sequence/dataset.h"

#include "core/error.h"

namespace pleat {

std::string_view name_of(RecordStatus status) {
  switch (status) {
    case RecordStatus::ok: return "ok";
    case RecordStatus::rejected: return "rejected";
    case RecordStatus::failed: return "failed";
    case RecordStatus::skipped: return "skipped";
  }
  return "?";
}

std::int64_t SequenceTable::append(std::string_view residues, std::span<const std::uint16_t> chain) {
  if (residues.size() != chain.size()) {
    throw Error(ErrorCode::internal, "a sequence of " + std::to_string(residues.size()) + " residues came with " +
                                         std::to_string(chain.size()) + " chain numbers");
  }
  residues_ += residues;
  chain_.insert(chain_.end(), chain.begin(), chain.end());
  offsets_.push_back(static_cast<std::int64_t>(residues_.size()));
  return size() - 1;
}

std::int64_t SequenceTable::append_from(const SequenceTable& other, std::int64_t row) {
  const std::int64_t own = append(other.residues(row), other.chain(row));
  if (const auto variants = other.variants(row); !variants.empty()) {
    variants_.resize(static_cast<std::size_t>(own) + 1);
    variants_.back().assign(variants.begin(), variants.end());
  }
  return own;
}

std::span<const SequenceVariant> SequenceTable::variants(std::int64_t row) const {
  if (row >= std::ssize(variants_)) return {};
  return variants_[static_cast<std::size_t>(row)];
}

void SequenceTable::shrink(std::int64_t size) {
  if (size < std::ssize(variants_)) variants_.resize(static_cast<std::size_t>(size));
  offsets_.resize(static_cast<std::size_t>(size) + 1);
  residues_.resize(static_cast<std::size_t>(offsets_.back()));
  chain_.resize(residues_.size());
}

}  // namespace pleat
