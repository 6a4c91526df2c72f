// The subcommands, one file each under src/cli/. Each adds itself to the program; its callback sets `exit_status`
// when it is to be something else than 0, and throws Error for everything that main() turns into a message.
#pragma once

#include <CLI/App.hpp>

namespace pleat::cli {

void add_run_command(CLI::App& app, int& exit_status);           // run.cc
void add_plan_command(CLI::App& app, int& exit_status);          // plan.cc
void add_bench_device_command(CLI::App& app, int& exit_status);  // bench_device.cc
void add_inspect_command(CLI::App& app, int& exit_status);       // inspect.cc
void add_merge_command(CLI::App& app, int& exit_status);         // merge.cc
void add_verify_command(CLI::App& app, int& exit_status);        // verify.cc
void add_compare_command(CLI::App& app, int& exit_status);       // compare.cc
void add_export_command(CLI::App& app, int& exit_status);        // export.cc
void add_report_command(CLI::App& app, int& exit_status);        // report.cc
void add_model_command(CLI::App& app, int& exit_status);         // model.cc: list, fetch, verify
void add_doctor_command(CLI::App& app, int& exit_status);        // doctor.cc
void add_schema_command(CLI::App& app, int& exit_status);        // schema.cc: manifest, results, man
void add_completion_command(CLI::App& app, int& exit_status);    // completion.cc: bash, zsh

}  // namespace pleat::cli
