#include "results/assembly.h"

#include <algorithm>
#include <utility>

#include "hdf5/hdf5_types.h"

namespace pleat {

Assembly::Assembly(const std::filesystem::path& path, SegmentStore& segments, const RecordIndex& index,
                   const std::vector<Part>& parts, const SequenceTable& sequences)
    : parts_(parts), sequences_(sequences), guard_(path), file_(hdf5::create_in(guard_)), pipeline_(guard_) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::int64_t rows = 0;
    for (std::int64_t row = 0; row < sequences.size(); ++row) rows += rows_of(parts[i].extent, size_of(sequences, row));
    columns_.push_back(
        {ChunkedDataSet(file_, {parts[i].path, rows, parts[i].row_shape}, hdf5::type_of(parts[i].element)),
         PartStream(segments, index, parts, i, sequences)});
  }
  guard_.throw_if_failed();
}

void Assembly::take_in(std::int64_t end, const std::function<bool()>& goes_on) {
  pipeline_.run([&](RawChunk& chunk) { return goes_on() && next_whole_chunk(end, chunk); });
}

void Assembly::finish(const std::function<bool()>& goes_on) {
  take_in(sequences_.size(), goes_on);
  pipeline_.run([&](RawChunk& chunk) { return goes_on() && next_last_chunk(chunk); });
}

bool Assembly::next_whole_chunk(std::int64_t end, RawChunk& chunk) {
  while (left_ > 0 || begin_next(end)) {
    Column& column = columns_[at_hand_];
    const std::int64_t size = std::min(left_, column.dataset.chunk_bytes() - column.filled);
    column.bytes.resize(static_cast<std::size_t>(column.dataset.chunk_bytes()));
    column.stream.read(
        std::span(column.bytes).subspan(static_cast<std::size_t>(column.filled), static_cast<std::size_t>(size)));
    column.filled += size;
    left_ -= size;
    if (column.filled < column.dataset.chunk_bytes()) continue;
    hand_over(column, chunk);
    return true;
  }
  return false;
}

bool Assembly::begin_next(std::int64_t end) {
  if (row_ >= end || parts_.empty()) return false;
  at_hand_ = part_;
  left_ = rows_of(parts_[part_].extent, size_of(sequences_, row_)) * parts_[part_].row_bytes();
  if (++part_ == parts_.size()) {
    part_ = 0;
    ++row_;
  }
  return true;
}

bool Assembly::next_last_chunk(RawChunk& chunk) {
  const auto column = std::ranges::find_if(columns_, [](const Column& c) { return c.filled > 0; });
  if (column == columns_.end()) return false;
  std::fill(column->bytes.begin() + column->filled, column->bytes.end(), std::byte{0});
  hand_over(*column, chunk);
  return true;
}

void Assembly::hand_over(Column& column, RawChunk& chunk) {
  chunk.dataset = &column.dataset;
  chunk.first_row = column.next_row;
  std::swap(chunk.bytes, column.bytes);
  column.filled = 0;
  column.next_row += column.dataset.chunk_rows();
}

void Assembly::close() {
  columns_.clear();
  if (!file_.reset()) hdf5::fail("close the result file", ErrorCode::io);
  guard_.throw_if_failed();
}

void Assembly::abandon() noexcept {
  columns_.clear();
  file_.reset();
}

}  // namespace pleat
