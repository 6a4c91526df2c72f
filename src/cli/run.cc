// pleat run: everything from a manifest to a result file.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/duration.h"
#include "cli/log.h"
#include "cli/progress.h"
#include "cli/shard_option.h"
#include "cli/signals.h"
#include "cli/summary.h"
#include "cli/used_files.h"
#include "core/error.h"
#include "core/revision.h"
#include "core/stop.h"
#include "runtime/inputs.h"
#include "runtime/job.h"

namespace pleat::cli {
namespace {

struct RunArguments {
  std::string manifest;
  std::string output;
  std::string devices;
  std::vector<std::string> overrides;
  std::string work_folder;
  std::string cache_folder;
  std::string fail_on;
  std::string progress = "auto";
  std::string log_format = "text";
  std::string summary_json;
  std::string max_time;
  std::string shard;
  bool overwrite = false;
  bool restart = false;
};

// What an option says wins over the manifest: it becomes an override. JSON strings are YAML strings.
std::vector<std::string> all_overrides(const RunArguments& arguments) {
  const auto quoted = [](const std::string& text) {
    std::string result = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') result += '\\';
      result += c;
    }
    return result + '"';
  };
  std::vector<std::string> overrides = arguments.overrides;
  if (!arguments.devices.empty()) overrides.push_back("run.devices=" + quoted(arguments.devices));
  if (!arguments.fail_on.empty()) overrides.push_back("policy.fail_on=" + quoted(arguments.fail_on));
  return overrides;
}

void check_used_files(const RunArguments& arguments, const Manifest& manifest) {
  UsedFiles used;
  used.read(arguments.manifest);
  for (const InputFile& input : input_files(manifest)) used.read(input.file);
  if (!manifest.pairs.file.empty()) used.read(manifest.resolve(manifest.pairs.file));
  if (manifest.tasks.scoring.has_table()) used.read(manifest.resolve(manifest.tasks.scoring.variants));
  used.write(manifest.resolve(manifest.output));
  if (arguments.summary_json.empty()) return;
  used.write(arguments.summary_json);
  check_summary_file(arguments.summary_json);
}

// 65 when records or variants were refused or failed or inputs could not be read, as policy.fail_on decides.
int status_of(const RunSummary& summary, FailOn fail_on) {
  const std::int64_t bad = summary.rejected + summary.failed + summary.variants_refused +
                           std::ranges::count_if(summary.inputs, &InputReport::is_bad);
  const bool fails = fail_on == FailOn::any ? bad > 0 : fail_on == FailOn::all && bad > 0 && summary.ok == 0;
  return fails ? 65 : 0;
}

// Of a run, 65 says that the file is there. So weights or a table that are too bad for that have the status of those
// that are missing. SIGUSR1 asks for the progress besides ending the run.
RunSummary run_printing_progress(const Manifest& manifest, const RunSettings& settings, ProgressPrinter& printer) {
  try {
    return run_job(manifest, settings, printer);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::bad_input) throw Error(ErrorCode::missing_input, error.what(), error.hint());
    throw;
  } catch (const Stopped& stopped) {
    if (stopped.signal() == SIGUSR1) printer.print_last();
    throw;
  }
}

void run(const RunArguments& arguments, int& exit_status) {
  ProgressStyle style = progress_style(arguments.progress);
  if (arguments.log_format == "json") {
    set_log_format(LogFormat::json);
    if (style == ProgressStyle::terminal) style = ProgressStyle::lines;
  }
  ProgressPrinter printer(style);
  Manifest manifest = load_manifest(arguments.manifest, all_overrides(arguments));
  const std::optional<ShardSpec> shard = shard_in(arguments.shard);
  // Unlike a path in the manifest, one on the command line is relative to where the user stands.
  if (arguments.output == "-") {
    throw Error(ErrorCode::usage, "a result file cannot go to standard output", "name a file with --output");
  }
  if (!arguments.output.empty()) manifest.output = std::filesystem::absolute(arguments.output).string();
  // So that the jobs of an array do not meet, whoever named the output.
  if (shard) manifest.output = part_name(manifest.output, *shard).string();
  check_used_files(arguments, manifest);
  RunSettings settings;
  settings.overwrite = arguments.overwrite;
  settings.work_folder = arguments.work_folder;
  settings.cache_folder = arguments.cache_folder;
  settings.pleat_version = PLEAT_VERSION;
  settings.source_revision = revision();
  settings.stop = watch_signals();
  settings.shard = shard;
  settings.restart = arguments.restart;
  if (!arguments.max_time.empty()) settings.max_seconds = seconds_in(arguments.max_time);
  const RunSummary summary = run_printing_progress(manifest, settings, printer);
  exit_status = status_of(summary, manifest.policy.fail_on);
  std::cout << summary_text(summary);
  if (!arguments.summary_json.empty()) write_summary_json(summary, exit_status, arguments.summary_json);
}

// As a script gives it whose variable is not set; such an option must not count as not given.
CLI::Validator not_empty() {
  return CLI::Validator([](const std::string& text) { return text.empty() ? std::string("is empty") : std::string(); },
                        "");
}

}  // namespace

void add_run_command(CLI::App& app, int& exit_status) {
  CLI::App* const command = app.add_subcommand("run", "Compute what a manifest asks for and write one HDF5 file");
  const auto arguments = std::make_shared<RunArguments>();
  command->add_option("manifest", arguments->manifest, "The YAML manifest; see: pleat schema manifest --markdown")
      ->type_name("FILE")
      ->required();
  command->add_option("-o,--output", arguments->output, "Write the results to this file instead of `output`")
      ->check(not_empty())
      ->type_name("FILE");
  command->add_option("--devices", arguments->devices, "Compute on these devices instead of `run.devices`")
      ->check(not_empty())
      ->type_name("DEVICES");
  command->add_option("--set", arguments->overrides, "Override one key of the manifest: --set tasks.contacts=true")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command
      ->add_option("--work-dir", arguments->work_folder,
                   "Keep the results there until the file is assembled (default: OUTPUT.work); a later run\n"
                   "resumes from there")
      ->check(not_empty())
      ->type_name("DIR");
  command->add_flag("--restart", arguments->restart,
                    "Give up what an earlier run has left, instead of going on with it");
  command
      ->add_option("--cache", arguments->cache_folder,
                   "Take results of the same sequence, model and tasks from this folder, and keep new ones there;\n"
                   "several runs may use it at once")
      ->check(not_empty())
      ->type_name("DIR");
  command
      ->add_option("--max-time", arguments->max_time,
                   "Begin nothing that would not end in this time, such as 3h55m; exit with 75 if not all is done")
      ->check(not_empty())
      ->type_name("TIME");
  command
      ->add_option("--shard", arguments->shard,
                   "Compute only part I of N, or the part of this task of a SLURM array; the output's name gets\n"
                   ".shard-I-of-N before its extension. pleat merge --shards N joins the parts")
      ->check(not_empty())
      ->type_name("I/N|slurm-array");
  command->add_flag("--overwrite", arguments->overwrite, "Replace an existing result file, once the new one is whole");
  command
      ->add_option("--fail-on", arguments->fail_on, "Exit with 65 when any record is bad, only when all are, or never")
      ->check(CLI::IsMember({"any", "all", "none"}));
  command->add_option("--progress", arguments->progress, "How to show progress: auto, json or none")
      ->check(CLI::IsMember({"auto", "json", "none"}));
  command->add_option("--log-format", arguments->log_format, "How to write logs: text or json")
      ->check(CLI::IsMember({"text", "json"}));
  command->add_option("--summary-json", arguments->summary_json, "Write the summary of the run to this file")
      ->check(not_empty())
      ->type_name("FILE");
  command->callback([arguments, &exit_status] { run(*arguments, exit_status); });
}

}  // namespace pleat::cli
