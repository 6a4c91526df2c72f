// pleat merge: the files of shards become one.
#include "store/merge.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/signals.h"
#include "cli/size_text.h"

namespace pleat::cli {
namespace {

struct MergeArguments {
  std::vector<std::string> parts;
  std::string output;
  MergeOptions options;
};

// All parts are open at once, and there may be a thousand.
void allow_many_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

void merge(const MergeArguments& arguments) {
  allow_many_open_files();
  const std::vector<std::filesystem::path> parts(arguments.parts.begin(), arguments.parts.end());
  MergeOptions options = arguments.options;
  options.stop = &watch_signals();
  const MergeSummary summary = merge_results(parts, arguments.output, options);
  if (!summary.missing.empty()) {
    spdlog::warn("the file lacks the records of {} shard{}: {}", summary.missing.size(),
                 summary.missing.size() == 1 ? "" : "s", fmt::join(summary.missing, ", "));
  }
  std::cout << fmt::format("{} files merged: {} records, {} unique sequences\nresults: {} ({}{})\n", parts.size(),
                           summary.records, summary.sequences, arguments.output,
                           size_text(static_cast<std::uint64_t>(summary.file_bytes)),
                           summary.was_there ? ", this very file was there already" : "");
}

}  // namespace

void add_merge_command(CLI::App& app, int& /*exit_status*/) {
  const auto arguments = std::make_shared<MergeArguments>();
  CLI::App* const command = app.add_subcommand("merge", "Join the files that pleat run --shard wrote");
  command->add_option("FILE", arguments->parts, "The shards' files, in any order")->type_name("FILE")->required();
  command->add_option("-o,--output", arguments->output, "The file to write")->type_name("FILE")->required();
  command->add_flag("--allow-missing", arguments->options.allow_missing,
                    "Merge what is there; the file then says which shards are missing");
  command->add_flag("--overwrite", arguments->options.overwrite, "Replace an existing file, once the new one is whole");
  command->callback([arguments] { merge(*arguments); });
}

}  // namespace pleat::cli
