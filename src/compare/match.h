// Which records of two result files belong together.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "results/result_reader.h"

namespace pleat {

enum class MatchBy : std::uint8_t { id, sequence };

struct RecordPair {
  std::string id;      // of A
  std::int64_t a = 0;  // rows of /sequences
  std::int64_t b = 0;
};

// A record that is not compared, and why.
struct Unmatched {
  std::string id;
  std::string reason;
};

struct Matches {
  std::vector<RecordPair> pairs;     // in the order of A
  std::vector<Unmatched> unmatched;  // of both files
};

// By id: the first of a name with the first, the second with the second, ..., and only where the sequences are equal.
// By sequence, chains and all: each sequence once, named after its first record. Records that are not ok in either file
// are not matched. Throws Error(bad_input) where a file is damaged.
[[nodiscard]] Matches match_records(const ResultReader& a, const ResultReader& b, MatchBy by);

}  // namespace pleat
