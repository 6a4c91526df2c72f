// One dataset's bytes in the order of the sequences, gathered from the segments piece by piece.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "format/record_parts.h"
#include "journal/row_keys.h"
#include "journal/segment_store.h"

namespace pleat {

// Where the record of each sequence lies, in the order of the sequences.
class RecordIndex {
 public:
  static constexpr std::uint64_t nowhere = RecordPlace::nowhere;

  explicit RecordIndex(std::int64_t sequences, RowKeys keys = {})
      : positions_(static_cast<std::size_t>(sequences), nowhere), keys_(std::move(keys)) {}
  void set(std::int64_t row, std::uint64_t position) { positions_[static_cast<std::size_t>(row)] = position; }
  [[nodiscard]] std::uint64_t operator[](std::int64_t row) const { return positions_[static_cast<std::size_t>(row)]; }
  // By which records and journal know the rows.
  [[nodiscard]] const RowKeys& keys() const { return keys_; }

 private:
  std::vector<std::uint64_t> positions_;
  RowKeys keys_;
};

class PartStream {
 public:
  // All arguments must outlive the stream.
  PartStream(SegmentStore& segments, const RecordIndex& index, const std::vector<Part>& parts, std::size_t part,
             const SequenceTable& sequences);

  // The next bytes, missing elements where a sequence has no record; never more than the dataset holds. Throws
  // Error(io) when a record is not what was written.
  void read(std::span<std::byte> out);

 private:
  void open_next_row();
  [[nodiscard]] std::uint64_t part_bytes(std::size_t part, const SequenceSize& size) const;
  [[noreturn]] void throw_damaged() const;

  SegmentStore& segments_;
  const RecordIndex& index_;
  const std::vector<Part>& parts_;
  std::size_t part_;
  const SequenceTable& sequences_;

  std::int64_t row_ = -1;
  std::uint64_t left_ = 0;  // bytes of this row still to read
  std::uint64_t position_ = RecordIndex::nowhere;
  std::uint32_t crc32_ = 0;     // of the bytes read
  std::uint32_t expected_ = 0;  // of the whole row
};

}  // namespace pleat
