// The numbers of a result file, assembled from the segments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "format/record_parts.h"
#include "hdf5/chunk_writer.h"
#include "hdf5/guarded_file.h"
#include "hdf5/hdf5_handle.h"
#include "journal/part_stream.h"
#include "journal/segment_store.h"

namespace pleat {

// A result file in the making, with its datasets of numbers. They are filled in the order of the sequences: all that
// belongs to one, then all that belongs to the next. So they can be filled while later results are still to come, and
// the bytes of the file do not depend on when that is done. One thread at a time.
class Assembly {
 public:
  // Makes the file and the datasets. All arguments must outlive the assembly. Throws Error(cannot_create), Error(io),
  // Error(retry).
  Assembly(const std::filesystem::path& path, SegmentStore& segments, const RecordIndex& index,
           const std::vector<Part>& parts, const SequenceTable& sequences);

  // Takes in the sequences before row `end` that are not in yet; those without a record hold missing elements then.
  // What does not fill a chunk stays in memory, at most a chunk of each dataset. Ends early when `goes_on` says so, and
  // throws what it throws; also Error(io) and Error(retry).
  void take_in(std::int64_t end, const std::function<bool()>& goes_on);
  // Takes in all, and what was in memory.
  void finish(const std::function<bool()>& goes_on);

  [[nodiscard]] const GuardedFile& guard() const { return guard_; }
  [[nodiscard]] const hdf5::File& file() const { return file_; }
  // Closes the file. Throws Error(io), Error(retry).
  void close();
  // The same for a file that nobody wants any more; afterwards guard() tells what the disk said.
  void abandon() noexcept;

 private:
  struct Column {
    ChunkedDataSet dataset;
    PartStream stream;
    std::vector<std::byte> bytes = {};  // of the chunk that is being filled
    std::int64_t filled = 0;            // bytes of it
    std::int64_t next_row = 0;          // the chunk's first
  };

  bool next_whole_chunk(std::int64_t end, RawChunk& chunk);
  bool next_last_chunk(RawChunk& chunk);
  bool begin_next(std::int64_t end);
  static void hand_over(Column& column, RawChunk& chunk);

  const std::vector<Part>& parts_;
  const SequenceTable& sequences_;
  GuardedFile guard_;
  hdf5::File file_;
  std::vector<Column> columns_;  // of each part
  ChunkPipeline pipeline_;
  // What is taken in next: a part of a sequence, and of the one at hand so many bytes.
  std::int64_t row_ = 0;
  std::size_t part_ = 0;
  std::size_t at_hand_ = 0;
  std::int64_t left_ = 0;
};

}  // namespace pleat
