// pleat verify: whether a result file is what pleat wrote.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "pleat/cli/commands.h"
#include "pleat/core/printable.h"
#include "pleat/store/check_results.h"
#include "size_text.h"

namespace pleat::cli {
namespace {

struct VerifyArguments {
  std::string file;
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
  std::string text = fmt::format("{}: DAMAGED\n", file);
  for (const ResultProblem& problem : check.problems) {
    text += fmt::format("  {}: {}", printable(problem.place, 200), printable(problem.what, 300));
    if (problem.count > 1) text += fmt::format(" ({} cases)", problem.count);
    text += "\n";
  }
  return text;
}

}  // namespace

void add_verify_command(CLI::App& app, int& exit_status) {
  const auto arguments = std::make_shared<VerifyArguments>();
  CLI::App* const command =
      app.add_subcommand("verify", "Check every byte of a result file; exit with 65 if it is damaged");
  command->add_option("FILE", arguments->file, "A file that pleat run or pleat merge wrote")->required();
  command->add_flag("--json", arguments->json, "Print JSON");
  command->callback([arguments, &exit_status] {
    const ResultCheck check = check_results(arguments->file);
    std::cout << (arguments->json ? json_text(check) : people_text(arguments->file, check));
    if (!check.problems.empty()) exit_status = damaged;
  });
}

}  // namespace pleat::cli
