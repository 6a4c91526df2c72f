// pleat report: one page to look at, from result files.
#include "report/report.h"

#include <spdlog/spdlog.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/used_files.h"
#include "cli/whole_file.h"
#include "core/error.h"
#include "core/size_text.h"
#include "export/fasta.h"

namespace pleat::cli {
namespace {

struct ReportCommand {
  std::vector<std::string> files;
  std::string output;
  std::string multiqc;
  std::string color;
  std::int64_t structures = -1;  // not given
  bool overwrite = false;
};

void write(const std::string& file, const std::string& text, bool overwrite) {
  write_whole(file, overwrite, [&](const TextSink& sink) { sink(text); });
  std::cout << file << '\n';
}

// Before the files are read, which may take a while.
void check_used_files(const ReportCommand& command, const ColorSource& color) {
  UsedFiles used;
  for (const std::string& input : command.files) used.read(input);
  if (!color.table.empty()) used.read(color.table);
  for (const std::string& output : {command.output, command.multiqc}) {
    if (output.empty()) continue;
    used.write(output);
    require_free(output, command.overwrite);
  }
}

void make_report_files(const ReportCommand& command) {
  ReportOptions options;
  options.color = color_source(command.color);
  check_used_files(command, options.color);
  options.files.assign(command.files.begin(), command.files.end());
  if (command.structures >= 0) options.structures = command.structures;
  const Report report = make_report(options);
  for (const std::string& note : report.notes) spdlog::info("{}", note);
  const std::string size = size_text(report.html.size());
  if (std::ssize(report.html) > usual_page_bytes) {
    spdlog::warn("the page will have {}; --structures N with a smaller N makes it smaller", size);
  }
  write(command.output, report.html, command.overwrite);
  if (!command.multiqc.empty()) write(command.multiqc, report.multiqc, command.overwrite);
  spdlog::info("{} records, {} structures, {}", report.records, report.structures, size);
}

}  // namespace

void add_report_command(CLI::App& app, int& /*exit_status*/) {
  const auto command = std::make_shared<ReportCommand>();
  CLI::App* const report = app.add_subcommand("report", "Make one HTML page to look at, from result files");
  report->add_option("FILE", command->files, "Files that pleat run or pleat merge wrote")
      ->type_name("FILE")
      ->required();
  report->add_option("-o,--output", command->output, "The page, such as report.html")->type_name("FILE")->required();
  report
      ->add_option("--structures", command->structures,
                   "Show the structures of so many records, instead of up to 200 that fit into 15 MB")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1'000'000}));
  report
      ->add_option(
          "--color", command->color,
          "Color the embeddings by a column of a table, CSV or TSV, whose first column or column 'id' has the\n"
          "records' ids")
      ->type_name("TABLE:COLUMN");
  report->add_option("--multiqc", command->multiqc, "Also write the numbers as a table for MultiQC, NAME_mqc.tsv")
      ->type_name("FILE");
  report->add_flag("--overwrite", command->overwrite, "Replace what is there already");
  report->callback([command] { make_report_files(*command); });
}

}  // namespace pleat::cli
