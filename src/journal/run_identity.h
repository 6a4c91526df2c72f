// What makes a run the same run, so that one that was cut off can be resumed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pleat {

// Names and values, such as {"run.precision", "float32"}, in the order in which differences are told.
using NamedValues = std::vector<std::pair<std::string, std::string>>;

struct RunIdentity {
  // Whatever decides the numbers: inputs, model, tasks. A run that differs in any of it must not be resumed.
  NamedValues same;
  // What the first run settled and later ones keep, whatever they would have chosen.
  NamedValues settled;
};

// The value of that name; empty where there is none.
[[nodiscard]] std::string value_of(const NamedValues& values, const std::string& name);

// The folder of a run's temporary files: `work_folder`, or OUTPUT.work where that is empty.
[[nodiscard]] std::filesystem::path work_folder_of(const std::filesystem::path& output,
                                                   const std::filesystem::path& work_folder);

// The run that left results in a work folder; nothing where there is none. Throws Error(io) when the disk fails, and
// Error(cannot_create) for what another version of pleat has left.
[[nodiscard]] std::optional<RunIdentity> find_earlier_run(const std::filesystem::path& work_folder);
// The keys (see RowKeys) of the sequences that have numbers in it, by what the journal says. Throws likewise.
[[nodiscard]] std::set<std::int64_t> find_earlier_rows(const std::filesystem::path& work_folder);

}  // namespace pleat
