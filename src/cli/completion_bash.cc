#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/completion.h"

namespace pleat::cli {
namespace {

// How a value is completed: "file", "folder" or "words ..."; "text" for what nobody can know.
std::string kind_of(const OptionText& option) {
  if (option.takes_file() || option.takes_path()) return "file";
  if (option.takes_folder()) return "folder";
  const std::vector<std::string> words = words_of(option);
  return words.empty() ? "text" : fmt::format("words {}", fmt::join(words, " "));
}

std::string subcommand_words(const CommandText& command) {
  std::vector<std::string> words;
  words.reserve(command.subcommands.size());
  for (const CommandText& below : command.subcommands) words.push_back(below.name);
  return fmt::format("{}", fmt::join(words, " "));
}

std::string option_words(const CommandText& command) {
  std::vector<std::string> words;
  for (const OptionText& option : command.options) words.insert(words.end(), option.names.begin(), option.names.end());
  return fmt::format("{}", fmt::join(words, " "));
}

// The names of subcommands and options, and how positional arguments are completed.
std::string command_cases(const CommandText& program) {
  std::string text;
  for (const CommandText* const command : all_commands(program)) {
    std::string positional = "text";
    if (!command->positionals.empty()) positional = kind_of(command->positionals.front());
    if (!command->subcommands.empty()) positional = "words " + subcommand_words(*command);
    text +=
        fmt::format("    '{}') options='{}' positional='{}' ;;\n", command->path, option_words(*command), positional);
  }
  return text;
}

std::string value_cases(const CommandText& program) {
  std::string text;
  for (const CommandText* const command : all_commands(program)) {
    for (const OptionText& option : command->options) {
      if (option.value.empty()) continue;
      std::vector<std::string> patterns;
      patterns.reserve(option.names.size());
      for (const std::string& name : option.names) patterns.push_back(fmt::format("'{} {}'", command->path, name));
      text += fmt::format("    {}) kind='{}' ;;\n", fmt::join(patterns, " | "), kind_of(option));
    }
  }
  return text;
}

std::string path_patterns(const CommandText& program) {
  std::vector<std::string> patterns;
  for (const CommandText* const command : all_commands(program)) {
    if (command != &program) patterns.push_back("'" + command->path + "'");
  }
  return fmt::format("{}", fmt::join(patterns, " | "));
}

constexpr const char* script = R"(# Completion of pleat for bash. Made by: pleat completion bash

# How the value of an option is completed; fails for an option that takes none.
_pleat_value() {{  # COMMAND OPTION
  case "$1 $2" in
{values}    *) return 1 ;;
  esac
}}

_pleat_complete() {{  # KIND WORD
  case "$1" in
    file) mapfile -t COMPREPLY < <(compgen -f -- "$2") ;;
    folder) mapfile -t COMPREPLY < <(compgen -d -- "$2") ;;
    words*) mapfile -t COMPREPLY < <(compgen -W "${{1#words}}" -- "$2") ;;
  esac
  # A folder is resumed, and names are quoted where they must be.
  case "$1" in file | folder) compopt -o filenames 2>/dev/null ;; esac
}}

_pleat() {{
  local command=pleat word=${{COMP_WORDS[COMP_CWORD]}} kind= options= positional= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case "${{COMP_WORDS[i]}}" in
      # --option=value are three words here.
      -*)
        if _pleat_value "$command" "${{COMP_WORDS[i]}}"; then
          [[ ${{COMP_WORDS[i + 1]}} != '=' ]] || ((++i))
          ((++i))
        fi
        ;;
      *)
        case "$command ${{COMP_WORDS[i]}}" in
          {paths}) command+=" ${{COMP_WORDS[i]}}" ;;
        esac
        ;;
    esac
  done
  case "$command" in
{commands}  esac
  # The loop has gone past the word: it is the value of the option before it.
  if ((i > COMP_CWORD)); then
    [[ $word != '=' ]] || word=
    _pleat_complete "$kind" "$word"
  elif [[ $word == -* ]]; then
    _pleat_complete "words $options" "$word"
  else
    _pleat_complete "$positional" "$word"
  fi
}}

complete -F _pleat pleat
)";

}  // namespace

std::string bash_completion(const CommandText& program) {
  return fmt::format(script, fmt::arg("values", value_cases(program)), fmt::arg("paths", path_patterns(program)),
                     fmt::arg("commands", command_cases(program)));
}

}  // namespace pleat::cli
