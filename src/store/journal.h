// What a run has done so far, on disk: a line for each sequence, written behind its numbers.
//
// A line is the CRC-32 of the text after it, eight hexadecimal digits, a blank, and a JSON object. The first line holds
// the run's identity. A line that was cut off or damaged ends the journal: it and what follows count as never written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/file_descriptor.h"
#include "store/flush.h"
#include "store/result_writer.h"
#include "store/run_identity.h"
#include "store/segment_store.h"

namespace pleat {

// A sequence that is done.
struct JournalEntry {
  SequenceResult result;  // without its numbers
  RecordPlace place;      // of its numbers; nothing there for a failed one
};

// Everything but the entries.
struct JournalState {
  RunIdentity identity;
  std::string model_sha256;                   // empty: not known yet when the run was cut off
  std::map<std::int64_t, std::int32_t> lost;  // row -> how many devices were lost while they computed it
  std::uint64_t whole_bytes = 0;              // up to the end of the last whole line
};

class Journal {
 public:
  static constexpr const char* file_name = "pleat-journal.jsonl";

  // Nothing where there is no journal or its first line is not whole. Throws Error(io) when the disk fails.
  [[nodiscard]] static std::optional<JournalState> read(const std::filesystem::path& file,
                                                        const std::function<void(const JournalEntry&)>& entry);

  // Begins a new journal, flushed.
  Journal(std::filesystem::path file, const RunIdentity& identity);
  // Goes on with one that was read; what lies behind its last whole line is cut off.
  Journal(std::filesystem::path file, const JournalState& state);

  // These write at once and flush nothing. What could not be written leaves no trace. They throw Error(io), or
  // Error(retry) when the disk or the quota is full.
  void add(const JournalEntry& entry);
  void add_model(const std::string& sha256);
  void add_loss(const std::vector<std::int64_t>& rows);

  [[nodiscard]] Unflushed unflushed() const;

 private:
  void open();
  void append(const std::string& json);

  std::filesystem::path path_;
  FileDescriptor file_;
  std::uint64_t end_ = 0;
};

}  // namespace pleat
