// pleat verify: whether a result file is what pleat wrote.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "core/printable.h"
#include "core/size_text.h"
#include "results/check_results.h"
#include "runtime/check_manifest.h"

namespace pleat::cli {
namespace {

struct VerifyArguments {
  std::string file;
  std::string manifest;
  std::vector<std::string> overrides;
  bool json = false;
};

constexpr int damaged = 65;

std::string json_text(const ResultCheck& check) {
  nlohmann::ordered_json json{{"good", check.problems.empty()}, {"datasets", check.datasets}, {"bytes", check.bytes}};
  json["problems"] = nlohmann::ordered_json::array();
  for (const ResultProblem& problem : check.problems) {
    json["problems"].push_back({{"place", problem.place}, {"what", problem.what}, {"count", problem.count}});
  }
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string people_text(const std::string& file, const ResultCheck& check) {
  if (check.problems.empty()) {
    return fmt::format("{}: good; {} datasets, {} read\n", file, check.datasets,
                       size_text(static_cast<std::uint64_t>(check.bytes)));
  }
  std::string text = fmt::format("{}: NOT GOOD\n", file);
  for (const ResultProblem& problem : check.problems) {
    text += fmt::format("  {}: {}", printable(problem.place, 200), printable(problem.what, 300));
    if (problem.count > 1) text += fmt::format(" ({} cases)", problem.count);
    text += "\n";
  }
  return text;
}

ResultCheck check(const VerifyArguments& arguments) {
  ResultCheck found = check_results(arguments.file);
  // Records of a damaged file are not worth comparing.
  if (arguments.manifest.empty() || !found.problems.empty()) return found;
  found.problems = check_manifest(arguments.file, load_manifest(arguments.manifest, arguments.overrides));
  return found;
}

}  // namespace

void add_verify_command(CLI::App& app, int& exit_status) {
  const auto arguments = std::make_shared<VerifyArguments>();
  CLI::App* const command =
      app.add_subcommand("verify", "Check every byte of a result file; exit with 65 if anything is wrong");
  command->add_option("FILE", arguments->file, "A file that pleat run or pleat merge wrote")
      ->type_name("FILE")
      ->required();
  command
      ->add_option("--manifest", arguments->manifest,
                   "Compare the file with what this manifest asks for, reading its inputs again")
      ->type_name("FILE");
  command->add_option("--set", arguments->overrides, "Override one key of the manifest, as the run did")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->needs("--manifest");
  command->add_flag("--json", arguments->json, "Print JSON");
  command->callback([arguments, &exit_status] {
    const ResultCheck found = check(*arguments);
    std::cout << (arguments->json ? json_text(found) : people_text(arguments->file, found));
    if (!found.problems.empty()) exit_status = damaged;
  });
}

}  // namespace pleat::cli
