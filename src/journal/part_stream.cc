#include "journal/part_stream.h"

#include <algorithm>
#include <string>

#include "core/error.h"

namespace pleat {
namespace {

// `out` holds a whole number of elements, since rows and chunks do.
void fill_with_missing(std::span<std::byte> out, std::span<const std::byte> missing) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = missing[i % missing.size()];
}

}  // namespace

PartStream::PartStream(SegmentStore& segments, const RecordIndex& index, const std::vector<Part>& parts,
                       std::size_t part, const SequenceTable& sequences)
    : segments_(segments), index_(index), parts_(parts), part_(part), sequences_(sequences) {}

void PartStream::read(std::span<std::byte> out) {
  while (!out.empty()) {
    while (left_ == 0) open_next_row();
    const std::span<std::byte> piece = out.first(std::min<std::uint64_t>(left_, out.size()));
    left_ -= piece.size();
    if (position_ == RecordIndex::nowhere) {
      fill_with_missing(piece, parts_[part_].missing);
    } else {
      segments_.read(position_, piece);
      position_ += piece.size();
      crc32_ = crc32_of(piece, crc32_);
      if (left_ == 0 && crc32_ != expected_) throw_damaged();
    }
    out = out.subspan(piece.size());
  }
}

void PartStream::open_next_row() {
  ++row_;
  if (row_ >= sequences_.size()) throw Error(ErrorCode::internal, "read beyond the end of " + parts_[part_].path);
  const SequenceSize size = size_of(sequences_, row_);
  left_ = part_bytes(part_, size);
  position_ = index_[row_];
  if (position_ == RecordIndex::nowhere) return;
  for (std::size_t before = 0; before < part_; ++before) position_ += sizeof(PartHead) + part_bytes(before, size);
  PartHead head;
  segments_.read(position_, std::as_writable_bytes(std::span(&head, 1)));
  if (head.row != index_.keys().key(row_) || head.part != part_ || head.bytes != left_) throw_damaged();
  position_ += sizeof(PartHead);
  crc32_ = 0;
  expected_ = head.crc32;
}

std::uint64_t PartStream::part_bytes(std::size_t part, const SequenceSize& size) const {
  return static_cast<std::uint64_t>(rows_of(parts_[part].extent, size) * parts_[part].row_bytes());
}

void PartStream::throw_damaged() const {
  throw Error(ErrorCode::io,
              "the result of sequence row " + std::to_string(row_) + " in '" +
                  segments_.file_of(index_[row_]).string() + "' is damaged",
              "check that disk and run again");
}

}  // namespace pleat
