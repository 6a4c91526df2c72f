// An input as it is asked for, and what came of reading it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

namespace pleat {

// `automatic` goes by the content, never by the name.
enum class InputFormat : std::uint8_t { automatic, fasta, csv, tsv };

struct InputFile {
  InputFile() = default;
  InputFile(std::filesystem::path path) : file(std::move(path)) {}  // NOLINT(google-explicit-constructor)

  std::filesystem::path file;  // "-" is standard input
  InputFormat format = InputFormat::automatic;
  // Names of a table's columns; empty: the known ones, see formats.h.
  std::string id_column = {};
  std::string sequence_column = {};
  std::string description_column = {};
  char delimiter = 0;        // of a table; 0: found in its header line
  bool from_folder = false;  // not named itself: where it holds no sequences it is passed over with a warning
};

// The words of InputReport::problem.
namespace input_problem {
inline constexpr const char* empty = "empty";      // no record at all, which is no fault
inline constexpr const char* missing = "missing";  // not there, or not to be opened
inline constexpr const char* unknown = "unknown";  // neither FASTA nor a table with the columns that are needed
inline constexpr const char* cut_off = "cut_off";  // ends early: the records before are good
inline constexpr const char* damaged = "damaged";  // a checksum failed: none of its records is used
}  // namespace input_problem

// One row of /inputs.
struct InputReport {
  std::string path;
  std::int64_t bytes = 0;    // as they lie on the disk
  std::string sha256;        // of those bytes; empty where the input cannot be read
  std::int64_t records = 0;  // taken from it, refused ones too
  std::string format;        // such as "fasta, gzip"; empty where unknown
  std::string problem;       // a word of input_problem, or empty
  std::string message;       // for people

  // Whether something is missing that should be there.
  [[nodiscard]] bool is_bad() const { return !problem.empty() && problem != input_problem::empty; }
};

}  // namespace pleat
