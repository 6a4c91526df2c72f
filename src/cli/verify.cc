// pleat verify: whether a result file is what pleat wrote.
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/errors.h"
#include "core/error.h"
#include "core/file.h"
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

std::string text_of(const VerifyArguments& arguments, const ResultCheck& found) {
  return arguments.json ? json_text(found) : people_text(arguments.file, found);
}

ResultCheck check(const VerifyArguments& arguments) {
  ResultCheck found = check_results(arguments.file);
  // Records of a damaged file are not worth comparing.
  if (arguments.manifest.empty() || !found.problems.empty()) return found;
  found.problems = check_manifest(arguments.file, load_manifest(arguments.manifest, arguments.overrides));
  return found;
}

int verify(const VerifyArguments& arguments) {
  const ResultCheck found = check(arguments);
  std::cout << text_of(arguments, found);
  return found.problems.empty() ? 0 : damaged;
}

// HDF5 1.10 follows some damaged bytes into a crash. So it reads in a process of its own, whose end says that, too.
int verify_in_child(const VerifyArguments& arguments) {
  const pid_t child = ::fork();
  if (child < 0) throw_system_error(errno, "begin a process to read", arguments.file, ErrorCode::retry);
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::prctl(PR_SET_DUMPABLE, 0);  // no core file of HDF5's
    int status = 0;
    try {
      status = verify(arguments);
    } catch (...) {
      status = report_current_exception();
    }
    std::cout.flush();
    ::_exit(status);
  }
  int ended = 0;
  while (::waitpid(child, &ended, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(ended)) return WEXITSTATUS(ended);
  const int signal = WTERMSIG(ended);
  const bool is_crash = signal == SIGSEGV || signal == SIGBUS || signal == SIGABRT || signal == SIGFPE;
  if (!is_crash) return 128 + signal;
  ResultCheck found;
  found.problems.push_back({"/", "HDF5 crashed when it read the file: its structure is damaged", 1});
  std::cout << text_of(arguments, found);
  return damaged;
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
  command->callback([arguments, &exit_status] { exit_status = verify_in_child(*arguments); });
}

}  // namespace pleat::cli
