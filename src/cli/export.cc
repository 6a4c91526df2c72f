// pleat export: from a result file to other formats.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/whole_file.h"
#include "core/error.h"
#include "core/file.h"
#include "core/printable.h"
#include "export/destination.h"
#include "export/fasta.h"
#include "export/file_sink.h"
#include "export/structure_files.h"

namespace pleat::cli {
namespace {

namespace fs = std::filesystem;

constexpr int status_bad_input = 65;
constexpr const char* fasta_name = "sequences.fasta";
constexpr std::array<std::string_view, 4> fasta_endings{".fasta", ".fa", ".faa", ".fas"};
constexpr std::array<std::string_view, 2> pdb_endings{".pdb", ".ent"};
constexpr std::array<std::string_view, 2> cif_endings{".cif", ".mmcif"};

struct ExportOptions {
  std::string file;
  std::string format;
  std::string output;
  std::vector<std::string> ids;
  std::string fail_on = "all";
  std::string problems;
  bool overwrite = false;
};

// What came of an export.
struct Written {
  std::int64_t records = 0;
  std::vector<LeftOut> left_out;
};

fs::path made_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw_system_error(error.value(), "create the folder", folder, ErrorCode::cannot_create);
  return folder;
}

Written export_sequences(const ResultReader& results, const ExportOptions& options) {
  Written written;
  const auto write = [&](const TextSink& sink) {
    written.records = export_fasta(results, options.ids, sink, [&](const Record& record) {
      written.left_out.push_back({record.id, record.message});
    });
  };
  switch (destination_of(options.output, fasta_endings)) {
    case Destination::stream: write([](std::string_view text) { std::cout << text; }); return written;
    case Destination::file: write_whole(options.output, options.overwrite, write); break;
    case Destination::archive: {
      const auto archive = open_archive(options.output, results.attributes().created_utc, options.overwrite);
      std::string all;
      write([&](std::string_view text) { all += text; });
      archive->add(fasta_name, all);
      archive->finish();
      break;
    }
    case Destination::folder:
      const fs::path file = made_folder(options.output) / fasta_name;
      write_whole(file, options.overwrite, write);
      std::cout << file.string() << '\n';
      return written;
  }
  std::cout << options.output << '\n';
  return written;
}

// The id of the one structure that a single file holds.
std::string only_id(const ResultReader& results, const ExportOptions& options) {
  if (options.ids.size() == 1) return options.ids.front();
  if (options.ids.empty() && results.record_count() == 1) return results.records(0, 1).front().id;
  throw Error(ErrorCode::usage,
              options.output == "-" ? "standard output takes one structure" : "one file takes one structure",
              "name it with --id, or give a folder or an archive with --output");
}

Written export_structure_files(const ResultReader& results, const ExportOptions& options) {
  const bool pdb = options.format == "pdb";
  const StructureFormat format = pdb ? StructureFormat::pdb : StructureFormat::cif;
  const Destination destination = destination_of(options.output, pdb ? pdb_endings : cif_endings);
  if (destination == Destination::stream || destination == Destination::file) {
    const std::string text = export_structure(results, format, only_id(results, options));
    if (destination == Destination::stream) {
      std::cout << text;
    } else {
      write_whole(options.output, options.overwrite, [&](const TextSink& sink) { sink(text); });
      std::cout << options.output << '\n';
    }
    return {1, {}};
  }
  const StructureExportSummary summary =
      export_structures(results, {format, options.ids, options.output, options.overwrite});
  spdlog::info("{} structure{} written", summary.files, summary.files == 1 ? "" : "s");
  if (summary.cif_holds_more) spdlog::info("mmCIF holds more than PDB: --format cif");
  std::cout << summary.index.string() << '\n';
  return {summary.files, summary.left_out};
}

// What could not be exported of what was computed, in the columns of pleat inspect --table problems.
void write_problems(const Written& written, const std::string& file) {
  write_whole(file, true, [&](const TextSink& sink) {
    sink("id\tstatus\tsequence\terror_code\tmessage\tmean_plddt\tptm\n");
    constexpr std::size_t longest = 10'000;
    for (const LeftOut& record : written.left_out) {
      if (!record.was_computed) continue;
      sink(fmt::format("{}\tnot_exported\t-1\tno_structure_file\t{}\t\t\n", printable(record.id, longest),
                       printable(record.reason, longest)));
    }
  });
}

// Says what was left out, by record. Bad where it was asked for by name, and as --fail-on decides.
int report(const Written& written, const ExportOptions& options) {
  constexpr std::size_t most_lines = 10;
  const std::size_t count = written.left_out.size();
  if (count == 0) return 0;
  spdlog::warn("{} record{} left out", count, count == 1 ? "" : "s");
  for (std::size_t i = 0; i < std::min(count, most_lines); ++i) {
    const LeftOut& record = written.left_out[i];
    spdlog::warn("left out: '{}': {}", printable(record.id), printable(record.reason, 200));
  }
  if (count > most_lines) {
    spdlog::warn("and {} more; {}", count - most_lines,
                 options.format == "fasta" ? "pleat inspect --table problems lists them" : "index.tsv lists them");
  }
  const bool asked_in_vain = !options.ids.empty() && options.fail_on != "none";
  const bool fails = options.fail_on == "any" || (options.fail_on == "all" && written.records == 0);
  return asked_in_vain || fails ? status_bad_input : 0;
}

int export_results(const ExportOptions& options) {
  const ResultReader results(options.file);
  const Written written =
      options.format == "fasta" ? export_sequences(results, options) : export_structure_files(results, options);
  if (!options.problems.empty()) write_problems(written, options.problems);
  return report(written, options);
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
                   "The folder to write to, made if needed; an archive, .tar or .tar.gz; one file of the format's\n"
                   "own ending; or - for standard output")
      ->type_name("PATH")
      ->required();
  command->add_option("--id", options->ids, "Only the record of this name; others may follow, each with --id")
      ->type_name("ID")
      ->expected(1)
      ->take_all();
  command
      ->add_option("--fail-on", options->fail_on,
                   "Exit with 65 when any record is left out, only when all are (the default), or never")
      ->check(CLI::IsMember({"any", "all", "none"}));
  command
      ->add_option("--problems", options->problems,
                   "Also write to this file which computed records the format cannot hold, tab-separated")
      ->type_name("FILE");
  command->add_flag("--overwrite", options->overwrite, "Replace what is there already");
  command->callback([options, &exit_status] { exit_status = export_results(*options); });
}

}  // namespace pleat::cli
