// Whether a result file is what pleat wrote, and says what it should.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace pleat {

struct ResultProblem {
  std::string place;       // a dataset, or an attribute of the file
  std::string what;        // the first case, in words
  std::int64_t count = 1;  // of cases of this kind
};

struct ResultCheck {
  std::vector<ResultProblem> problems;
  std::int64_t datasets = 0;
  std::int64_t bytes = 0;  // that were read, uncompressed
};

// Reads every byte: checksums of all chunks and of the columns of strings; that all datasets are there, with the right
// types and rows; that offsets, chains and residue numbers count as they should; that each record's status fits its
// sequence; that numbers are finite and in range where a sequence was computed, and missing where it was not; that
// means are those of what they are the means of; and that the stored manifest is the one its hash is of. Memory does
// not grow with the results. Throws Error(missing_input) when the file is not there; whatever else is wrong is a
// problem.
[[nodiscard]] ResultCheck check_results(const std::filesystem::path& file);

}  // namespace pleat
