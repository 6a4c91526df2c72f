// The program pleat. Subcommands are in a file each; see commands.h.

#include <poll.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/errors.h"
#include "cli/log.h"
#include "core/revision.h"
#include "machine/machine.h"
#include "ops/cpu/path.h"

namespace {

void set_up_process() {
  // A file size limit or a reader that went away is an error to report, not a reason to die.
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  pleat::use_allowed_processors();
  spdlog::set_default_logger(spdlog::stderr_logger_mt("pleat"));
  pleat::cli::set_log_format(pleat::cli::LogFormat::text);
}

// A device that hangs leaves a thread behind, which may use anything: nothing is destroyed any more.
[[noreturn]] void leave(int exit_status) {
  std::cout.flush();
  spdlog::default_logger()->flush();
  std::fflush(nullptr);
  std::_Exit(exit_status);
}

// The word that stands where a command should and is none; of such CLI11 says only that a subcommand is required.
std::string unknown_command(const CLI::App& app) {
  const CLI::App* command = &app;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  const std::vector<std::string> words = command->remaining();
  const bool is_unknown =
      command->get_require_subcommand_min() > 0 && !words.empty() && !words.front().starts_with("-");
  return is_unknown ? words.front() : std::string();
}

int report_wrong_command_line(const CLI::App& app, const CLI::ParseError& error) {
  const std::string unknown = unknown_command(app);
  if (unknown.empty()) return app.exit(error) == 0 ? 0 : pleat::cli::exit_status_of(pleat::ErrorCode::usage);
  std::cerr << "There is no command '" << unknown << "'\nRun with --help for more information.\n";
  return pleat::cli::exit_status_of(pleat::ErrorCode::usage);
}

bool is_closed_pipe(int descriptor) {
  pollfd seen{descriptor, POLLOUT, 0};
  return ::poll(&seen, 1, 0) > 0 && (seen.revents & POLLERR) != 0;
}

int run_program(int argc, char** argv) {
  CLI::App app(
      "Protein sequences in, ESM-2 embeddings and ESMFold structures out, in bulk: one manifest, one command, one "
      "HDF5 file.",
      "pleat");
  app.set_version_flag("--version", std::string(PLEAT_VERSION " (") + pleat::revision() + ")");
  app.require_subcommand(1);
  app.fallthrough(false);
  int exit_status = 0;
  pleat::cli::add_run_command(app, exit_status);
  pleat::cli::add_plan_command(app, exit_status);
  pleat::cli::add_bench_device_command(app, exit_status);
  pleat::cli::add_inspect_command(app, exit_status);
  pleat::cli::add_merge_command(app, exit_status);
  pleat::cli::add_verify_command(app, exit_status);
  pleat::cli::add_compare_command(app, exit_status);
  pleat::cli::add_export_command(app, exit_status);
  pleat::cli::add_report_command(app, exit_status);
  pleat::cli::add_model_command(app, exit_status);
  pleat::cli::add_doctor_command(app, exit_status);
  pleat::cli::add_schema_command(app, exit_status);
  pleat::cli::add_completion_command(app, exit_status);
  try {
    static_cast<void>(pleat::cpu::path());  // before LibTorch computes anything
    app.parse(argc, argv);
    std::cout.flush();
  } catch (const CLI::ParseError& error) {
    return report_wrong_command_line(app, error);
  } catch (...) {
    return pleat::cli::report_current_exception();
  }
  // A reader that has seen enough, such as head, is no error.
  if (!std::cout && !is_closed_pipe(STDOUT_FILENO)) {
    spdlog::error("cannot write to standard output");
    return pleat::cli::exit_status_of(pleat::ErrorCode::io);
  }
  return exit_status;
}

}  // namespace

int main(int argc, char** argv) {
  set_up_process();
  leave(run_program(argc, argv));
}
