// The commands and options of the program as plain values, read from CLI11's tree: the man page and the completions are
// made from them, so that nothing is written twice.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

namespace pleat::cli {

struct OptionText {
  std::vector<std::string> names;    // "-o", "--output"; of a positional argument its name
  std::string value;                 // the kind of its value, such as "FILE"; empty for a flag
  std::vector<std::string> choices;  // the words it takes, where only some are good
  std::string description;
  bool positional = false;
  bool required = false;
  bool repeatable = false;  // may be given more than once

  [[nodiscard]] bool takes_file() const { return value == "FILE"; }
  [[nodiscard]] bool takes_folder() const { return value == "DIR"; }
  // A file or a folder.
  [[nodiscard]] bool takes_path() const { return value == "PATH"; }
};

struct CommandText {
  std::string path;  // "pleat model fetch"
  std::string name;  // "fetch"
  std::string description;
  std::vector<OptionText> options;      // in the order in which they were added, --help first
  std::vector<OptionText> positionals;  // in the order of the command line
  std::vector<CommandText> subcommands;
};

// The command with everything below it.
[[nodiscard]] CommandText describe_command(const CLI::App& app, const std::string& parent = {});

// The same, one after the other, from the top.
[[nodiscard]] std::vector<const CommandText*> all_commands(const CommandText& top);

}  // namespace pleat::cli
