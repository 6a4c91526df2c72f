// pleat schema: what pleat reads, writes and takes, in forms for programs and for people.
#include "manifest/schema.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "cli/command_table.h"
#include "cli/commands.h"
#include "cli/man_page.h"
#include "format/schema_table.h"

namespace pleat::cli {
namespace {

// A description of a file: JSON, or the reference page.
void add_reference(CLI::App& schema, const std::string& name, const std::string& description, const std::string& page,
                   std::string (*json)(), std::string (*reference)()) {
  CLI::App* const command = schema.add_subcommand(name, description);
  const auto markdown = std::make_shared<bool>(false);
  command->add_flag("--markdown", *markdown, "Print the reference page " + page + " instead");
  command->callback([=] { std::cout << (*markdown ? reference() : json()); });
}

}  // namespace

void add_schema_command(CLI::App& app, int& /*exit_status*/) {
  CLI::App* const schema_command =
      app.add_subcommand("schema", "Describe the files that pleat reads and writes, and its command line");
  schema_command->require_subcommand(1);
  add_reference(*schema_command, "manifest", "Print the JSON Schema of the manifest", "docs/manifest.md",
                manifest_json_schema, manifest_markdown);
  add_reference(*schema_command, "results", "Print the datasets and attributes of a result file as JSON",
                "docs/results-reference.md", schema::results_json, schema::results_markdown);
  schema_command->add_subcommand("man", "Print the man page pleat(1)")->callback([&app] {
    std::cout << man_page(describe_command(app), PLEAT_VERSION);
  });
}

}  // namespace pleat::cli
