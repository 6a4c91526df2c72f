// Completion of the command line in shells.
#pragma once

#include <string>

#include "cli/command_table.h"

namespace pleat::cli {

// A script to be sourced by bash 4.4 or newer; needs nothing of the package bash-completion.
[[nodiscard]] std::string bash_completion(const CommandText& program);

// A file _pleat for zsh's fpath.
[[nodiscard]] std::string zsh_completion(const CommandText& program);

// What completes the value of an option besides its choices: the names of the published models where it is a MODEL.
[[nodiscard]] std::vector<std::string> words_of(const OptionText& option);

}  // namespace pleat::cli
