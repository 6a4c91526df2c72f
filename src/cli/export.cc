// pleat export: from a result file to other formats.
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

#include "pleat/cli/commands.h"
#include "pleat/core/error.h"
#include "pleat/core/file.h"
#include "pleat/export/fasta.h"

namespace pleat::cli {
namespace {

namespace fs = std::filesystem;

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

void export_results(const ExportOptions& options) {
  const ResultReader results(options.file);
  if (options.format != "fasta") {
    throw Error(ErrorCode::usage, "'" + options.file + "' holds no structures to export as " + options.format,
                "only a folding model makes structures; the sequences can be had with --format fasta");
  }
  if (options.output == "-") {
    export_fasta(results, options.ids, [](std::string_view text) { std::cout << text; });
  } else {
    export_to_folder(results, options);
  }
}

}  // namespace

void add_export_command(CLI::App& app, int& /*exit_status*/) {
  const auto options = std::make_shared<ExportOptions>();
  CLI::App* const command = app.add_subcommand("export", "Write a result file's content in another format");
  command->add_option("FILE", options->file, "A file that pleat run wrote")->required();
  command->add_option("--format", options->format, "fasta; pdb and cif need structures")
      ->required()
      ->check(CLI::IsMember({"fasta", "pdb", "cif"}));
  command->add_option("--output", options->output, "The folder to write to, made if needed; - is standard output")
      ->type_name("DIR")
      ->required();
  command->add_option("--id", options->ids, "Only the record of this name; may be given again")
      ->type_name("ID")
      ->expected(1)
      ->take_all();
  command->add_flag("--overwrite", options->overwrite, "Replace what is there already");
  command->callback([options] { export_results(*options); });
}

}  // namespace pleat::cli
