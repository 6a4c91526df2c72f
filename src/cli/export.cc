// pleat export: from a result file to other formats.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "core/error.h"
#include "core/file.h"
#include "export/fasta.h"
#include "export/structure_files.h"

namespace pleat::cli {
namespace {

namespace fs = std::filesystem;

constexpr int status_bad_input = 65;

struct ExportOptions {
  std::string file;
  std::string format;
  std::string output;
  std::vector<std::string> ids;
  bool overwrite = false;
};

// Writes under a passing name and renames at the end, so that `file` is whole or as it was before.
void write_fasta_file(const ResultReader& results, const ExportOptions& options, const fs::path& file) {
  fs::path partial = file;
  partial += ".partial";
  try {
    errno = 0;
    std::ofstream out(partial, std::ios::binary | std::ios::trunc);
    if (!out) throw_system_error(errno, "create", partial, ErrorCode::cannot_create);
    export_fasta(results, options.ids, [&](std::string_view text) {
      if (!(out << text)) throw_system_error(errno, "write", partial, ErrorCode::io);
    });
    out.close();
    if (!out) throw_system_error(errno, "write", partial, ErrorCode::io);
    fsync_path(partial);
    rename_durably(partial, file);
  } catch (...) {
    std::error_code ignored;
    fs::remove(partial, ignored);
    throw;
  }
}

void export_to_folder(const ResultReader& results, const ExportOptions& options) {
  const fs::path folder = options.output;
  const fs::path file = folder / "sequences.fasta";
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw_system_error(error.value(), "create the folder", folder, ErrorCode::cannot_create);
  if (fs::exists(fs::symlink_status(file)) && !options.overwrite) {
    throw Error(ErrorCode::cannot_create, "'" + file.string() + "' is there already",
                "replace it with --overwrite, or choose another folder with --output");
  }
  write_fasta_file(results, options, file);
  std::cout << file.string() << '\n';
}

void export_sequences(const ResultReader& results, const ExportOptions& options) {
  if (options.output == "-") {
    export_fasta(results, options.ids, [](std::string_view text) { std::cout << text; });
  } else {
    export_to_folder(results, options);
  }
}

// Says what lacks a file. Bad, that is, unless all that can be had was written.
int report(const StructureExportSummary& summary, const ExportOptions& options) {
  const auto records = [](std::int64_t count) { return fmt::format("{} record{}", count, count == 1 ? "" : "s"); };
  if (summary.not_computed > 0) {
    spdlog::warn("{} without a structure; index.tsv says why", records(summary.not_computed));
  }
  if (summary.cannot_hold > 0) {
    spdlog::error("{} left out, such as {}", records(summary.cannot_hold), summary.first_cannot_hold);
    if (options.format == "pdb") spdlog::error("hint: mmCIF has no such limits: --format cif");
  }
  const bool asked_in_vain = !options.ids.empty() && summary.not_computed > 0;
  return asked_in_vain || summary.cannot_hold > 0 || summary.files == 0 ? status_bad_input : 0;
}

int export_structure_files(const ResultReader& results, const ExportOptions& options) {
  const StructureFormat format = options.format == "pdb" ? StructureFormat::pdb : StructureFormat::cif;
  if (options.output == "-") {
    if (options.ids.size() != 1) {
      throw Error(ErrorCode::usage, "standard output takes one structure",
                  "name it with --id, or give a folder with --output");
    }
    std::cout << export_structure(results, format, options.ids.front());
    return 0;
  }
  const StructureExportSummary summary =
      export_structures(results, {format, options.ids, options.output, options.overwrite});
  spdlog::info("{} structure{} written", summary.files, summary.files == 1 ? "" : "s");
  std::cout << summary.index.string() << '\n';
  return report(summary, options);
}

int export_results(const ExportOptions& options) {
  const ResultReader results(options.file);
  if (options.format != "fasta") return export_structure_files(results, options);
  export_sequences(results, options);
  return 0;
}

}  // namespace

void add_export_command(CLI::App& app, int& exit_status) {
  const auto options = std::make_shared<ExportOptions>();
  CLI::App* const command = app.add_subcommand("export", "Write a result file's content in another format");
  command->add_option("FILE", options->file, "A file that pleat run wrote")->type_name("FILE")->required();
  command->add_option("--format", options->format, "fasta, or pdb or cif (mmCIF) for structures")
      ->required()
      ->check(CLI::IsMember({"fasta", "pdb", "cif"}));
  command
      ->add_option("--output", options->output,
                   "The folder to write to, made if needed; for structures also an archive, .tar or .tar.gz; "
                   "- is standard output")
      ->type_name("PATH")
      ->required();
  command->add_option("--id", options->ids, "Only the record of this name; others may follow, each with --id")
      ->type_name("ID")
      ->expected(1)
      ->take_all();
  command->add_flag("--overwrite", options->overwrite, "Replace what is there already");
  command->callback([options, &exit_status] { exit_status = export_results(*options); });
}

}  // namespace pleat::cli
