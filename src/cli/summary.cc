#include "cli/summary.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/inputs_json.h"
#include "cli/progress.h"
#include "core/file.h"
#include "core/printable.h"
#include "core/size_text.h"

namespace pleat::cli {
namespace {

double residues_per_second(const RunSummary& s) {
  return s.seconds_forward > 0 ? static_cast<double>(s.residues) / s.seconds_forward : 0;
}

double fold_flops_per_second(const RunSummary& s) {
  return s.seconds_folding > 0 ? s.fold_flops / s.seconds_folding : 0;
}

void write_text(const std::filesystem::path& file, const std::string& text) {
  errno = 0;
  std::ofstream out(file, std::ios::binary);
  if (!out) throw_system_error(errno, "create", file, ErrorCode::cannot_create);
  if (!(out << text).flush()) throw_system_error(errno, "write", file, ErrorCode::io);
}

}  // namespace

std::string summary_text(const RunSummary& s) {
  std::string text = fmt::format("{} records: {} ok, {} rejected, {} failed", s.records, s.ok, s.rejected, s.failed);
  if (s.skipped > 0) text += fmt::format(", {} skipped", s.skipped);
  text += fmt::format("\n{} unique sequences, {} residues, {:.0f} residues/s, {} in all, peak memory {:.0f} MB\n",
                      s.sequences, s.residues, residues_per_second(s), clock_text(s.seconds_total),
                      static_cast<double>(s.peak_rss_bytes) / 1e6);
  for (const InputReport& input : s.inputs) {
    if (input.is_bad()) text += fmt::format("input with {}: {}\n", input.problem, printable(input.message, 400));
  }
  if (s.earlier_sequences > 0)
    text += fmt::format("{} more sequences were done by an earlier run\n", s.earlier_sequences);
  if (s.cached_sequences > 0) text += fmt::format("{} more sequences were in the cache\n", s.cached_sequences);
  if (s.sequences_folded > 0) {
    text += fmt::format("{} folded, {} positions, {} of folding at {:.0f} GFLOP/s\n", s.sequences_folded,
                        s.positions_folded, clock_text(s.seconds_folding), fold_flops_per_second(s) / 1e9);
  }
  if (s.variants > 0)
    text += fmt::format("{} variant{}, {} refused\n", s.variants, s.variants == 1 ? "" : "s", s.variants_refused);
  if (s.complexes > 0) {
    text += fmt::format("{} complex{}, ipTM {:.2f} on the average, the best {:.2f} of {}\n", s.complexes,
                        s.complexes == 1 ? "" : "es", s.mean_iptm, s.best_iptm, printable(s.best_complex));
  }
  if (s.untrained) text += "UNTRAINED weights: the numbers mean nothing about these proteins\n";
  text += fmt::format("results: {} ({})\n", s.output.string(), size_text(static_cast<std::uint64_t>(s.file_bytes)));
  if (!s.structures.empty()) {
    text += fmt::format("structures: {} ({} file{})\n", s.structures.string(), s.structure_files,
                        s.structure_files == 1 ? "" : "s");
  }
  return text;
}

void check_summary_file(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) {
    throw Error(ErrorCode::cannot_create, "the summary '" + file.string() + "' is a folder",
                "give --summary-json the name of a file");
  }
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    throw_system_error(errno, "create the summary", file, ErrorCode::cannot_create);
  }
}

void write_summary_json(const RunSummary& s, int exit_status, const std::filesystem::path& file) {
  const nlohmann::json json = {{"output", s.output.string()},
                               {"file_bytes", s.file_bytes},
                               {"exit_status", exit_status},
                               {"inputs", inputs_json<nlohmann::json>(s.inputs)},
                               {"records", s.records},
                               {"ok", s.ok},
                               {"rejected", s.rejected},
                               {"failed", s.failed},
                               {"skipped", s.skipped},
                               {"earlier_sequences", s.earlier_sequences},
                               {"cached_sequences", s.cached_sequences},
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
                               {"sequences_folded", s.sequences_folded},
                               {"positions_folded", s.positions_folded},
                               {"fold_chunk_size", s.fold_chunk_size},
                               {"fold_flops", s.fold_flops},
                               {"seconds_folding", s.seconds_folding},
                               {"variants", s.variants},
                               {"variants_refused", s.variants_refused},
                               {"complexes", s.complexes},
                               {"mean_iptm", s.mean_iptm},
                               {"best_iptm", s.best_iptm},
                               {"best_complex", s.best_complex},
                               {"structures", s.structures.string()},
                               {"structure_files", s.structure_files},
                               {"model", s.model},
                               {"precision", s.precision},
                               {"untrained_weights", s.untrained}};
  const std::filesystem::path partial = file.string() + ".partial";
  try {
    // Paths may hold any bytes, JSON only UTF-8.
    write_text(partial, json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    fsync_path(partial);
    rename_durably(partial, file);
  } catch (const Error&) {
    std::error_code ignored;
    std::filesystem::remove(partial, ignored);
    throw;
  }
}

}  // namespace pleat::cli
