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
#include "journal/flush.h"
#include "journal/run_identity.h"
#include "journal/segment_store.h"
#include "journal/writer_options.h"

namespace pleat {

// A sequence that is done.
struct JournalEntry {
  SequenceResult result;            // without its numbers; its row is the key
  RecordPlace place;                // of its numbers; nothing there for a failed one
  std::int64_t run = 0;             // which has written it, counted from 1
  std::int64_t longest_tokens = 0;  // WriterOptions::longest_tokens of the run that has written it
};

// Everything but the entries. Rows are keys, see RowKeys.
struct JournalState {
  RunIdentity identity;
  std::string model_sha256;    // the last that was known; empty: no run knew it before it was cut off
  std::int64_t first_run = 1;  // entries of runs before this one were computed with other weights, and are void
  std::map<std::int64_t, std::int32_t> lost;  // row -> how many devices were lost while they computed it
  // row -> how many runs ended while they computed it
  std::map<std::int64_t, std::int32_t> interrupted;
  bool last_did_nothing = false;  // the last run ended without a result, and something was under way
  std::uint64_t whole_bytes = 0;  // up to the end of the last whole line
};

class Journal {
 public:
  static constexpr const char* file_name = "pleat-journal.jsonl";

  // Nothing where there is no journal or its first line is not whole. Throws Error(io) when the disk fails, and
  // Error(cannot_create) for a journal whose lines may mean something else: that of another version.
  [[nodiscard]] static std::optional<JournalState> read(const std::filesystem::path& file,
                                                        const std::function<void(const JournalEntry&)>& entry);

  // Begins a new journal, flushed.
  Journal(std::filesystem::path file, const RunIdentity& identity);
  // Goes on with one that was read; what lies behind its last whole line is cut off.
  Journal(std::filesystem::path file, const JournalState& state);

  // These write at once and flush nothing. What could not be written leaves no trace. They throw Error(io), or
  // Error(retry) when the disk or the quota is full.
  void add(const JournalEntry& entry);
  // A run begins, the first one too.
  void begin_run(std::int64_t longest_tokens);
  // These rows are being computed, and no others.
  void set_under_way(const std::vector<std::int64_t>& rows);
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
