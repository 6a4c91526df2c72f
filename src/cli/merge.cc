// pleat merge: the files of shards become one.
#include "results/merge.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/signals.h"
#include "cli/used_files.h"
#include "core/error.h"
#include "core/size_text.h"
#include "plan/shards.h"

namespace pleat::cli {
namespace {

struct MergeArguments {
  std::vector<std::string> parts;
  std::string output;
  std::int64_t shards = 0;  // of the output, in place of `parts`; 0: not given
  MergeOptions options;
};

// All parts are open at once, and there may be a thousand.
void allow_many_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

// Those of the output's parts that are there; merge_results() says which are not.
std::vector<std::filesystem::path> parts_of(const std::string& output, std::int64_t shards) {
  std::vector<std::filesystem::path> parts;
  for (std::int64_t index = 1; index <= shards; ++index) {
    std::filesystem::path part = part_name(output, {index, shards});
    if (std::filesystem::exists(part)) parts.push_back(std::move(part));
  }
  if (!parts.empty()) return parts;
  throw Error(ErrorCode::missing_input,
              fmt::format("none of the {} parts of '{}' is there, such as '{}'", shards, output,
                          part_name(output, {1, shards}).string()),
              "give --output the name that the parts were given, and --shards their number");
}

std::vector<std::filesystem::path> parts_of(const MergeArguments& arguments) {
  if (arguments.parts.empty() == (arguments.shards == 0)) {
    throw Error(ErrorCode::usage,
                arguments.shards == 0 ? "no part is named" : "parts are named, and --shards is given as well",
                "name the shards' files, or say with --shards how many there are of --output");
  }
  if (arguments.shards > 0) return parts_of(arguments.output, arguments.shards);
  return {arguments.parts.begin(), arguments.parts.end()};
}

void merge(const MergeArguments& arguments) {
  allow_many_open_files();
  const std::vector<std::filesystem::path> parts = parts_of(arguments);
  UsedFiles used;
  for (const std::filesystem::path& part : parts) used.read(part);
  used.write(arguments.output);
  MergeOptions options = arguments.options;
  options.stop = watch_signals().get();
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
  command->add_option("FILE", arguments->parts, "The shards' files, in any order")->type_name("FILE");
  command
      ->add_option("--shards", arguments->shards,
                   "Join the N parts of the output, as pleat run --shard I/N names them, in place of a list of files")
      ->type_name("N")
      ->check(CLI::Range(1, 1000000));
  command->add_option("-o,--output", arguments->output, "The file to write")->type_name("FILE")->required();
  command->add_flag("--allow-missing", arguments->options.allow_missing,
                    "Merge what is there; the file then says which shards are missing");
  command->add_flag("--overwrite", arguments->options.overwrite, "Replace an existing file, once the new one is whole");
  command->callback([arguments] { merge(*arguments); });
}

}  // namespace pleat::cli
