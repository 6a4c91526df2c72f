// pleat completion: scripts for shells.
#include "cli/completion.h"

#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/commands.h"
#include "weights/registry.h"

namespace pleat::cli {

std::vector<std::string> words_of(const OptionText& option) {
  if (option.value != "MODEL") return option.choices;
  std::vector<std::string> names;
  for (const ModelEntry& entry : model_registry()) names.emplace_back(entry.name);
  return names;
}

void add_completion_command(CLI::App& app, int& /*exit_status*/) {
  CLI::App* const completion = app.add_subcommand("completion", "Print a script that completes pleat's command line");
  completion->require_subcommand(1);
  completion->add_subcommand("bash", "For bash: source <(pleat completion bash)")->callback([&app] {
    std::cout << bash_completion(describe_command(app));
  });
  completion->add_subcommand("zsh", "For zsh: pleat completion zsh > FOLDER/_pleat, for a folder of $fpath")
      ->callback([&app] { std::cout << zsh_completion(describe_command(app)); });
}

}  // namespace pleat::cli
