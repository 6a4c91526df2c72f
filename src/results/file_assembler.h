// From segments to a whole result file under its temporary name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "core/stop.h"
#include "format/file_attributes.h"
#include "format/outcomes.h"
#include "format/record_parts.h"
#include "journal/flush.h"
#include "journal/part_stream.h"
#include "journal/segment_store.h"
#include "results/early_assembly.h"
#include "results/partial_file.h"
#include "sequence/dataset.h"

namespace pleat {

// What the file is made of. All of it must outlive the assembler.
struct AssemblySource {
  SegmentStore& segments;
  const RecordIndex& index;
  const std::vector<Part>& parts;
  const Dataset& dataset;
  const ResultLayout& layout;
  const SequenceOutcomes& outcomes;
};

// Assembles the file in one go, or beside the run as far as results are there without a gap: see begin_early(). One
// thread at a time.
class FileAssembler {
 public:
  // Throws what PartialFile throws.
  FileAssembler(const std::filesystem::path& output, const AssemblySource& source, const StopToken* stop)
      : partial_(output), source_(source), stop_(stop) {}

  // From now on works on threads of its own. `to_come` [sequences]: whether the row will be added; no other may be.
  void begin_early(std::vector<bool> to_come);
  [[nodiscard]] bool is_early() const { return early_ != nullptr; }
  [[nodiscard]] bool may_come(std::int64_t row) const {
    return early_ == nullptr || to_come_[static_cast<std::size_t>(row)];
  }
  // A row has been added.
  void advance();
  // Gives the room on the disk back; the file is assembled in one go at the end.
  void give_up_early();
  // Ends the threads, which read the segments.
  void end_early() { early_.reset(); }
  // What has been written early, for the next flush.
  void add_unflushed(std::vector<Unflushed>& files) const;
  // Bytes on the disk already.
  [[nodiscard]] std::int64_t bytes() const;

  // Writes the file, whole and flushed. Throws Error(io), Error(retry), and Stopped.
  void write(const FileAttributes& attributes);
  [[nodiscard]] PartialFile& partial() { return partial_; }

 private:
  [[nodiscard]] std::unique_ptr<Assembly> make_assembly() const;
  void write_tables(const Assembly& assembly, const FileAttributes& attributes) const;

  PartialFile partial_;
  AssemblySource source_;
  const StopToken* stop_;
  std::vector<bool> to_come_;  // of each row, whether it may still be added
  std::int64_t settled_ = 0;   // rows before which none is to come
  std::unique_ptr<EarlyAssembly> early_;
};

}  // namespace pleat
