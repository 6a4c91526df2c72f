#include "summary.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>

#include "pleat/core/file.h"
#include "progress.h"

namespace pleat::cli {
namespace {

double residues_per_second(const RunSummary& s) {
  return s.seconds_forward > 0 ? static_cast<double>(s.residues) / s.seconds_forward : 0;
}

}  // namespace

std::string summary_text(const RunSummary& s) {
  std::string text = fmt::format("{} records: {} ok, {} rejected, {} failed", s.records, s.ok, s.rejected, s.failed);
  if (s.skipped > 0) text += fmt::format(", {} skipped", s.skipped);
  text += fmt::format("\n{} unique sequences, {} residues, {:.0f} residues/s, {} in all, peak memory {:.0f} MB\n",
                      s.sequences, s.residues, residues_per_second(s), clock_text(s.seconds_total),
                      static_cast<double>(s.peak_rss_bytes) / 1e6);
  if (s.untrained) text += "UNTRAINED weights: the numbers mean nothing about these proteins\n";
  text += fmt::format("results: {} ({:.1f} MB)\n", s.output.string(), static_cast<double>(s.file_bytes) / 1e6);
  return text;
}

void write_summary_json(const RunSummary& s, int exit_status, const std::filesystem::path& file) {
  const nlohmann::json json = {{"output", s.output.string()},
                               {"file_bytes", s.file_bytes},
                               {"exit_status", exit_status},
                               {"records", s.records},
                               {"ok", s.ok},
                               {"rejected", s.rejected},
                               {"failed", s.failed},
                               {"skipped", s.skipped},
                               {"sequences", s.sequences},
                               {"residues", s.residues},
                               {"tokens", s.tokens},
                               {"residues_per_second", residues_per_second(s)},
                               {"seconds_total", s.seconds_total},
                               {"seconds_startup", s.seconds_startup},
                               {"seconds_forward", s.seconds_forward},
                               {"seconds_finish", s.seconds_finish},
                               {"peak_rss_bytes", s.peak_rss_bytes},
                               {"linear_flops_per_token", s.linear_flops_per_token},
                               {"model", s.model},
                               {"precision", s.precision},
                               {"untrained_weights", s.untrained}};
  const std::filesystem::path partial = file.string() + ".partial";
  {
    std::ofstream out(partial);
    out << json.dump(2) << '\n';
    if (!out.flush()) throw_system_error(errno, "write", partial, ErrorCode::cannot_create);
  }
  fsync_path(partial);
  rename_durably(partial, file);
}

}  // namespace pleat::cli
