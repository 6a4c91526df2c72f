// Results as raw bytes on disk, in the order they arrived, until finish() puts them into the order of the sequences.
//
// A record is its parts one after the other, each behind a head that names it: what is read back can be checked, and
// a file that was damaged or cut off is found out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/file_descriptor.h"
#include "journal/flush.h"

namespace pleat {

struct PartHead {
  std::int64_t row = 0;
  std::uint64_t bytes = 0;  // of the data that follows
  std::uint32_t part = 0;
  std::uint32_t crc32 = 0;  // of the data that follows
};
static_assert(sizeof(PartHead) == 24);

// Where a record lies.
struct RecordPlace {
  static constexpr std::uint64_t nowhere = ~std::uint64_t{0};

  std::uint64_t position = nowhere;
  std::uint32_t crc32 = 0;  // of its heads, which hold those of its data
};

class SegmentStore {
 public:
  // Begins with a new segment file behind those that the folder holds, and again when the last one holds `roll_bytes`
  // or more.
  explicit SegmentStore(std::filesystem::path folder, std::uint64_t roll_bytes = std::uint64_t{1} << 30);

  // A record that could not be written leaves no trace. Nothing is flushed.
  // Throws Error(io), or Error(retry) when the disk or the quota is full.
  RecordPlace append(std::int64_t row, std::span<const std::span<const std::byte>> parts);

  // All that was appended since the last call.
  [[nodiscard]] std::vector<Unflushed> unflushed();

  // Whether the record at this place is that of `row`, with parts of these sizes, and every byte as it was written.
  // False also where it cannot be read.
  [[nodiscard]] bool is_whole(const RecordPlace& place, std::int64_t row, std::span<const std::uint64_t> part_bytes);

  // Fills `out` from `position` onwards, within one record. Throws Error(io). One thread at a time, which may be
  // another one than appends.
  void read(std::uint64_t position, std::span<std::byte> out);

  // "pleat-segment-0003.bin": the file a position lies in.
  [[nodiscard]] std::filesystem::path file_of(std::uint64_t position) const;
  [[nodiscard]] static std::string file_name(std::uint64_t segment);
  // Whether a file name is one of those above.
  [[nodiscard]] static bool is_segment(const std::string& name);

 private:
  // A position is the segment's number and the offset in it.
  static constexpr int offset_bits = 40;

  void begin_segment();
  void check_record(std::uint64_t position, std::uint32_t crc32, std::int64_t row,
                    std::span<const std::uint64_t> part_bytes);
  [[nodiscard]] const FileDescriptor& open_for_reading(std::uint64_t segment);

  std::filesystem::path folder_;
  std::uint64_t roll_bytes_;
  FileDescriptor current_;
  std::uint64_t segment_ = 0;
  std::uint64_t end_ = 0;        // of the current segment
  std::vector<Unflushed> full_;  // segments that nobody has been given to flush

  struct OpenSegment {
    std::uint64_t segment = 0;
    FileDescriptor fd;
  };
  std::vector<std::byte> buffer_;     // for checks
  std::array<OpenSegment, 64> open_;  // a small cache: a run may have more segments than a process may open files
};

[[nodiscard]] std::uint32_t crc32_of(std::span<const std::byte> data, std::uint32_t before = 0);

}  // namespace pleat
