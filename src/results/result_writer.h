// From results in any order to one HDF5 file in the order of the sequences.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/stop.h"
#include "format/file_attributes.h"
#include "format/sequence_result.h"
#include "journal/run_identity.h"
#include "journal/writer_options.h"
#include "sequence/dataset.h"

namespace pleat {

struct WriteSummary {
  std::int64_t file_bytes = 0;
};

// What was added is on disk: after a crash, a signal or a full disk a writer of the same run takes it up again.
class ResultWriter {
 public:
  // Checks that the output can be made (folder there and writable, no file in the way unless `overwrite`, the work
  // folder not in use), takes up what an earlier run has left, checking every byte of it, and makes sure that there is
  // room for the rest and for the file. `dataset` must outlive the writer. The program must ignore SIGXFSZ. Throws
  // Error(cannot_create), also when the earlier run was another one, saying what differs; or Error(retry) when the disk
  // has no room for the results, uncompressed, and for the file.
  ResultWriter(std::filesystem::path output, ResultLayout layout, const Dataset& dataset, const WriterOptions& options);
  // Keeps the work folder when there are results in it that no file holds yet, else removes it.
  ~ResultWriter();
  ResultWriter(const ResultWriter&) = delete;
  ResultWriter& operator=(const ResultWriter&) = delete;

  [[nodiscard]] const EarlierResults& earlier() const;
  // Whether the work folder could be locked; where not, another run in it is still found out, by its owner file.
  [[nodiscard]] bool is_locked() const;
  // Whether the row has been added, in this run or in an earlier one.
  [[nodiscard]] bool is_done(std::int64_t row) const;
  // The seconds that a row has taken; 0 for one that is not done or was not computed.
  [[nodiscard]] double seconds_of(std::int64_t row) const;
  // Calls `see` with each result of the earlier run: whether it failed, its note, its structure where `structures`
  // says so, and no other numbers.
  void replay(bool structures, const std::function<void(const SequenceResult&)>& see);

  // From now on puts the file together beside what the caller does, on threads of its own, as far as results are there
  // without a gap. `to_come` [sequences]: whether the row will be added; no other may be. What is assembled does not
  // count as written: after a crash it is made again from the segments.
  void assemble_early(std::vector<bool> to_come);

  // Appends one result to the segment on disk, then a line to the journal. One thread at a time, as for all below.
  // Throws Error(io), Error(retry) when the disk or the quota is full, or Error(cannot_create) when another run has
  // taken the work folder over: the row then counts as never added. Throws
  // Error(internal) when the result does not fit the layout or its row was added before.
  void add(const SequenceResult& result);
  // Keeps in mind that a device was lost while it computed these rows. Throws like add().
  void add_loss(const std::vector<std::int64_t>& rows);
  // Keeps in mind what is being computed: if the run ends now, a later one knows. Throws like add().
  void set_under_way(const std::vector<std::int64_t>& rows);
  // The hash of the weights, as soon as it is known. The identity tells most weights apart before; where this hash is
  // not that of the earlier runs all the same, what they have computed is given up, and Error(retry) says so: a later
  // run computes it. Throws like add().
  void set_model(const std::string& sha256);
  // Flushes what was added, so that even a power cut does not lose it. Throws Error(io).
  void sync();
  // Begins to flush what was added, and does not wait for it, unless that was begun less than a second ago or is still
  // under way. Throws what the last one met: Error(io), or Error(retry) when the disk or the quota is full after all.
  // Throws Error(retry) too once the disks have no room any more for what is to come, the file included, and
  // Error(cannot_create) when another run has taken the work folder over.
  void sync_if_due();

  // Puts the results into the order of the sequences, compresses in parallel, writes FILE.partial, flushes it and
  // renames it to its name. Sequences never added hold NaN, and their records become `failed` unless a status was
  // given. Throws like add(), and leaves an older file under that name as it was; may then be called again.
  // `before_rename` is called when FILE.partial is whole, flushed, and free to get its name: what is published there,
  // such as StructureFolder::commit(), stands before the result file does. What it throws ends finish().
  WriteSummary finish(const FileAttributes& attributes, const std::function<void()>& before_rename = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pleat
