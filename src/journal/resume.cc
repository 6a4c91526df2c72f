#include "journal/resume.h"

#include <map>
#include <set>
#include <string>

#include "core/error.h"
#include "core/stop.h"

namespace pleat {
namespace {

// "a was 1 and is 2; b was 3 and is 4"; empty where nothing differs.
std::string differences(const NamedValues& before, const NamedValues& now) {
  std::string text;
  const auto add = [&](const std::string& name, const std::string& was, const std::string& is) {
    if (was == is) return;
    if (name == "inputs" && !was.empty()) {
      text += std::string(text.empty() ? "" : "; ") + "the inputs hold other records, pairs or variants than before";
      return;
    }
    text += (text.empty() ? "" : "; ") + name + " was '" + was + "' and is '" + is + "'";
  };
  for (const auto& [name, value] : now) add(name, value_of(before, name), value);
  for (const auto& [name, value] : before) {
    if (value_of(now, name).empty()) add(name, value, "");
  }
  return text;
}

[[noreturn]] void throw_other_run(const std::filesystem::path& folder, const std::string& what_differs) {
  throw Error(ErrorCode::cannot_create,
              "'" + folder.string() + "' holds the results of a run that this one cannot resume: " + what_differs,
              "finish that run with what it was begun with, give up its results with --restart, or choose another "
              "place with --work-dir");
}

class JournalReplay {
 public:
  JournalReplay(const WriterOptions& options, const ResumeTarget& target, std::int64_t first_run)
      : options_(options), target_(target), first_run_(first_run) {}

  void take(const JournalEntry& entry) {
    throw_if_stopped(options_.stop);
    if (entry.run < first_run_) return;
    const std::optional<std::int64_t> row = row_of(entry.result.row);
    if (!row || target_.outcomes.is_known(*row)) return;
    if (entry.result.failed) {
      failures_[*row] = entry;
      return;
    }
    const std::vector<std::uint64_t> sizes = sizes_of(target_.parts, size_of(target_.sequences, *row));
    if (target_.segments.is_whole(entry.place, entry.result.row, sizes)) {
      target_.index.set(*row, entry.place.position);
      keep(*row, entry.result);
    } else {
      damaged_.insert(*row);
    }
  }

  Resumed finish(const JournalState& state) {
    for (const auto& [row, entry] : failures_) {
      if (!target_.outcomes.is_known(row) && !is_tried_again(entry)) keep(row, entry.result);
    }
    Resumed resumed;
    resumed.earlier.sequences = std::ssize(rows_);
    resumed.earlier.damaged = std::ssize(damaged_);
    resumed.earlier.lost = of_rows_to_come(state.lost);
    resumed.earlier.interrupted = of_rows_to_come(state.interrupted);
    resumed.earlier.last_did_nothing = state.last_did_nothing;
    resumed.rows = std::move(rows_);
    return resumed;
  }

 private:
  [[nodiscard]] std::optional<std::int64_t> row_of(std::int64_t key) const {
    return target_.keys.row(key, target_.sequences.size());
  }

  [[nodiscard]] bool is_tried_again(const JournalEntry& failure) const {
    return options_.tries_again && options_.tries_again(failure.result, failure.longest_tokens);
  }

  void keep(std::int64_t row, SequenceResult result) {
    result.row = row;
    target_.outcomes.keep(result);
    damaged_.erase(row);
    rows_.push_back(row);
  }

  [[nodiscard]] std::map<std::int64_t, std::int32_t> of_rows_to_come(
      const std::map<std::int64_t, std::int32_t>& counts) const {
    std::map<std::int64_t, std::int32_t> found;
    for (const auto& [key, count] : counts) {
      const std::optional<std::int64_t> row = row_of(key);
      if (row && !target_.outcomes.is_known(*row)) found[*row] = count;
    }
    return found;
  }

  const WriterOptions& options_;
  const ResumeTarget& target_;
  std::int64_t first_run_;
  std::vector<std::int64_t> rows_;
  std::set<std::int64_t> damaged_;
  std::map<std::int64_t, JournalEntry> failures_;  // the last of each row, which a later result may have made good
};

}  // namespace

std::optional<JournalState> find_resumable(const std::filesystem::path& work_folder, const WriterOptions& options) {
  if (options.restart) return std::nullopt;
  std::int64_t entries = 0;
  std::optional<JournalState> state =
      Journal::read(work_folder / Journal::file_name, [&](const JournalEntry&) { ++entries; });
  if (!state || (entries == 0 && state->lost.empty() && state->interrupted.empty())) return std::nullopt;
  const std::string what = differences(state->identity.same, options.identity.same);
  if (!what.empty()) throw_other_run(work_folder, what);
  return state;
}

Resumed resume(const std::filesystem::path& work_folder, const JournalState& state, const WriterOptions& options,
               const ResumeTarget& target) {
  JournalReplay replay(options, target, state.first_run);
  static_cast<void>(
      Journal::read(work_folder / Journal::file_name, [&](const JournalEntry& entry) { replay.take(entry); }));
  return replay.finish(state);
}

}  // namespace pleat
