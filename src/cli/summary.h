// What a run has done, at its end.
#pragma once

#include <filesystem>
#include <string>

#include "runtime/job.h"

namespace pleat::cli {

// A few lines for people.
[[nodiscard]] std::string summary_text(const RunSummary& summary);

// Whether the summary can be written in the end. Throws Error(cannot_create).
void check_summary_file(const std::filesystem::path& file);

// One JSON object for workflow engines and benchmarks, written whole or not at all. Throws Error(cannot_create) or
// Error(io).
void write_summary_json(const RunSummary& summary, int exit_status, const std::filesystem::path& file);

}  // namespace pleat::cli
