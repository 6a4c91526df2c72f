// pleat doctor: what this machine offers, and what to do where something is wrong.
#include "machine/doctor.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/commands.h"
#include "cli/errors.h"
#include "core/revision.h"
#include "runtime/answer_check.h"

namespace pleat::cli {
namespace {

struct DoctorArguments {
  std::string devices = "auto";
  std::string model;
  bool json = false;
};

const char* word_of(Health health) {
  switch (health) {
    case Health::good: return "good";
    case Health::warning: return "warning";
    case Health::fault: return "fault";
  }
  return "";
}

std::string json_text(const std::vector<Finding>& findings, int exit_status) {
  nlohmann::ordered_json json{{"exit_status", exit_status}};
  json["findings"] = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) {
    json["findings"].push_back({{"subject", finding.subject},
                                {"health", word_of(finding.health)},
                                {"text", finding.text},
                                {"advice", finding.advice}});
  }
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string people_text(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    const char* const mark = finding.health == Health::good    ? ""
                             : finding.health == Health::fault ? "FAULT: "
                                                               : "warning: ";
    text += fmt::format("{:<11}{}{}\n", finding.subject, mark, finding.text);
    if (!finding.advice.empty()) text += fmt::format("{:<11}-> {}\n", "", finding.advice);
  }
  return text;
}

}  // namespace

void add_doctor_command(CLI::App& app, int& exit_status) {
  const auto arguments = std::make_shared<DoctorArguments>();
  CLI::App* const command =
      app.add_subcommand("doctor", "Look at this machine and say what is wrong; exits with what a run would end with");
  command->add_option("--devices", arguments->devices, "The devices that a run is to have, as run.devices")
      ->type_name("DEVICES");
  command
      ->add_option("--model", arguments->model,
                   "Also compute what is published of this model, a name or a folder, and compare")
      ->type_name("MODEL");
  command->add_flag("--json", arguments->json, "Print JSON");
  command->callback([arguments, &exit_status] {
    std::vector<Finding> findings =
        examine_machine({std::string(PLEAT_VERSION " (") + revision() + ")", arguments->devices});
    if (!arguments->model.empty()) findings.push_back(examine_model(arguments->model, arguments->devices));
    for (const Finding& finding : findings) {
      if (finding.health == Health::fault && exit_status == 0) exit_status = exit_status_of(finding.code);
    }
    std::cout << (arguments->json ? json_text(findings, exit_status) : people_text(findings));
  });
}

}  // namespace pleat::cli
