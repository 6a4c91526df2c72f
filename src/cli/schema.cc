#include "pleat/manifest/schema.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <iostream>
#include <memory>

#include "pleat/cli/commands.h"

namespace pleat::cli {

void add_schema_command(CLI::App& app, int& /*exit_status*/) {
  CLI::App* const schema = app.add_subcommand("schema", "Describe the files that pleat reads");
  schema->require_subcommand(1);
  CLI::App* const manifest = schema->add_subcommand("manifest", "Print the JSON Schema of the manifest");
  const auto markdown = std::make_shared<bool>(false);
  manifest->add_flag("--markdown", *markdown, "Print the reference page docs/manifest.md instead");
  manifest->callback([markdown] { std::cout << (*markdown ? manifest_markdown() : manifest_json_schema()); });
}

}  // namespace pleat::cli
