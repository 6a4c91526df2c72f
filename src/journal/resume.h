// Going on with what an earlier run has left in a work folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "format/outcomes.h"
#include "format/record_parts.h"
#include "journal/journal.h"
#include "journal/part_stream.h"
#include "journal/row_keys.h"
#include "journal/segment_store.h"
#include "journal/writer_options.h"

namespace pleat {

// The journal of an earlier run that this one can resume; nothing where there is nothing to resume. Throws
// Error(cannot_create) when that run was another one, saying what differs, and Error(io).
[[nodiscard]] std::optional<JournalState> find_resumable(const std::filesystem::path& work_folder,
                                                         const WriterOptions& options);

// What the results go into.
struct ResumeTarget {
  const std::vector<Part>& parts;
  const SequenceTable& sequences;
  const RowKeys& keys;
  SegmentStore& segments;
  RecordIndex& index;
  SequenceOutcomes& outcomes;
};

struct Resumed {
  EarlierResults earlier;
  std::vector<std::int64_t> rows;  // that were taken up
};

// Checks every byte of the results that the journal speaks of, and takes up those that are whole. Throws Stopped, and
// Error(io).
[[nodiscard]] Resumed resume(const std::filesystem::path& work_folder, const JournalState& state,
                             const WriterOptions& options, const ResumeTarget& target);

}  // namespace pleat
