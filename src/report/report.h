// One page from result files: docs/report.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "report/color_table.h"

namespace pleat {

// Larger pages than this are made only where they were asked for.
inline constexpr std::int64_t usual_page_bytes = 15'000'000;

struct ReportOptions {
  std::vector<std::filesystem::path> files;
  // How many records are shown with their structure; nothing: up to 200, as many as fit into usual_page_bytes.
  std::optional<std::int64_t> structures;
  ColorSource color;  // whose values color the projection
};

struct Report {
  std::string html;
  std::string multiqc;             // one line per file, for MultiQC
  std::int64_t records = 0;        // in the table
  std::int64_t structures = 0;     // that can be seen in 3D
  std::vector<std::string> notes;  // what the page lacks, a sentence each
};

// Throws what ResultReader throws, and Error(missing_input) that says so where a file's run has not ended.
[[nodiscard]] Report make_report(const ReportOptions& options);

}  // namespace pleat
