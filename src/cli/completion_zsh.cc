#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/completion.h"

namespace pleat::cli {
namespace {

// A text within single quotes, and within the brackets of a specification of _arguments.
std::string escaped(const std::string& text, const std::string& special) {
  std::string result;
  for (const char c : text) {
    if (c == '\'') {
      result += "'\\''";
      continue;
    }
    if (special.find(c) != std::string::npos) result += '\\';
    result += c;
  }
  return result;
}

std::string in_brackets(const std::string& text) { return escaped(text, "[]\\"); }
std::string before_colon(const std::string& text) { return escaped(text, ":\\"); }

// "_pleat_model_fetch"
std::string function_of(const CommandText& command) {
  std::string name = "_" + command.path;
  std::replace(name.begin(), name.end(), ' ', '_');
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

// "FILE:_files": what a value is and what completes it.
std::string action_of(const OptionText& option) {
  const std::string what = before_colon(option.positional ? option.names.front() : option.value);
  if (option.takes_file() || option.takes_path()) return what + ":_files";
  if (option.takes_folder()) return what + ":_files -/";
  const std::vector<std::string> words = words_of(option);
  return words.empty() ? what + ": " : fmt::format("{}:({})", what, fmt::join(words, " "));
}

// One name a line; the other names of the option are offered no more once it is there.
std::string option_specifications(const OptionText& option) {
  std::string text;
  for (const std::string& name : option.names) {
    const std::string others = option.repeatable         ? "*"
                               : option.names.size() > 1 ? fmt::format("({})", fmt::join(option.names, " "))
                                                         : "";
    const std::string value = option.value.empty() ? "" : ":" + action_of(option);
    // Long options take "--name value" and "--name=value", as pleat does.
    const std::string equals = !option.value.empty() && name.starts_with("--") ? "=" : "";
    text += fmt::format("    '{}{}{}[{}]{}' \\\n", others, name, equals, in_brackets(option.description), value);
  }
  return text;
}

std::string options_of(const CommandText& command) {
  std::string text;
  for (const OptionText& option : command.options) text += option_specifications(option);
  return text;
}

std::string leaf_function(const CommandText& command) {
  std::string text = fmt::format("{}() {{\n  _arguments -s -S \\\n{}", function_of(command), options_of(command));
  for (const OptionText& positional : command.positionals) {
    text += fmt::format("    '{}:{}' \\\n", positional.repeatable ? "*" : "", action_of(positional));
  }
  text.resize(text.size() - std::string_view(" \\\n").size());
  return text + "\n}\n\n";
}

std::string branch_function(const CommandText& command) {
  std::string list;
  std::string cases;
  for (const CommandText& below : command.subcommands) {
    list += fmt::format("        '{}:{}'\n", below.name, before_colon(below.description));
    cases += fmt::format("        {}) {} ;;\n", below.name, function_of(below));
  }
  return fmt::format(
      "{0}() {{\n  local curcontext=$curcontext state line\n  local -a commands\n  _arguments -C \\\n{1}"
      "    '1: :->command' \\\n    '*:: :->arguments'\n  case $state in\n    command)\n      commands=(\n{2}      )\n"
      "      _describe -t commands command commands\n      ;;\n    arguments)\n      case $words[1] in\n{3}      esac\n"
      "      ;;\n  esac\n}}\n\n",
      function_of(command), options_of(command), list, cases);
}

}  // namespace

std::string zsh_completion(const CommandText& program) {
  std::string text = "#compdef pleat\n# Completion of pleat for zsh. Made by: pleat completion zsh\n\n";
  for (const CommandText* const command : all_commands(program)) {
    text += command->subcommands.empty() ? leaf_function(*command) : branch_function(*command);
  }
  return text + "if [ \"$funcstack[1]\" = \"_pleat\" ]; then\n  _pleat \"$@\"\nelse\n  compdef _pleat pleat\nfi\n";
}

}  // namespace pleat::cli
