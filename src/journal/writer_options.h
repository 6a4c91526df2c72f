// What a run that writes results wants of its work folder, and what it finds there of an earlier run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <vector>

#include "core/stop.h"
#include "format/sequence_result.h"
#include "journal/owner.h"
#include "journal/run_identity.h"

namespace pleat {

struct WriterOptions {
  bool overwrite = false;
  // For segments, as large as all results uncompressed. Empty = FILE.work beside the output, removed at the end. A
  // folder given here is made where needed; files of others in it stay.
  std::filesystem::path work_folder = {};
  // An earlier run whose results are in the work folder is resumed when it has the same identity.
  RunIdentity identity = {};
  // By which the work folder knows each row, rising; the same in every run. Empty: the rows themselves.
  std::vector<std::int64_t> row_keys = {};
  // What this run has memory for; kept with its failures.
  std::int64_t longest_tokens = 0;
  // Whether a failure of an earlier run, which had memory for so many tokens, is not to stand. Empty: all stand.
  std::function<bool(const SequenceResult& failure, std::int64_t longest_tokens)> tries_again = {};
  bool restart = false;  // forget what an earlier run has left
  OwnerPace owner_pace = {};
  const StopToken* stop = nullptr;  // ends waiting for a dead owner of the work folder, the checking of earlier
                                    // results, and finish(), with Stopped
};

// What was found in the work folder.
struct EarlierResults {
  std::int64_t sequences = 0;                        // whose results are whole
  std::int64_t damaged = 0;                          // whose results are not; they are computed again
  std::map<std::int64_t, std::int32_t> lost;         // row -> how many devices were lost while they computed it
  std::map<std::int64_t, std::int32_t> interrupted;  // row -> how many runs ended while they computed it
  bool last_did_nothing = false;  // the last run ended without a single result, and something was under way
};

}  // namespace pleat
