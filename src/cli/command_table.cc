#include "cli/command_table.h"

#include <algorithm>

namespace pleat::cli {
namespace {

// "TEXT:{any,all,none}" is how CLI11 writes a type and the words that it is checked against.
std::vector<std::string> choices_in(const std::string& type) {
  const std::size_t begin = type.find(":{");
  const std::size_t end = type.find('}');
  if (begin == std::string::npos || end == std::string::npos) return {};
  std::vector<std::string> choices;
  std::size_t first = begin + 2;
  while (first <= end) {
    const std::size_t last = std::min(type.find(',', first), end);
    choices.push_back(type.substr(first, last - first));
    first = last + 1;
  }
  return choices;
}

// Line breaks in a description are those of --help.
std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

OptionText describe_option(const CLI::Option& option) {
  OptionText text;
  text.positional = !option.nonpositional();
  if (text.positional) {
    text.names = {option.get_name(true)};
  } else {
    for (const std::string& name : option.get_snames()) text.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) text.names.push_back("--" + name);
  }
  if (option.get_items_expected_max() > 0) {
    const std::string type = option.get_type_name();
    text.value = type.substr(0, type.find(':'));
    text.choices = choices_in(type);
  }
  text.description = one_line(option.get_description());
  text.required = option.get_required();
  text.repeatable =
      option.get_items_expected_max() > 1 || option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
  return text;
}

}  // namespace

CommandText describe_command(const CLI::App& app, const std::string& parent) {
  CommandText text;
  text.name = app.get_name();
  text.path = parent.empty() ? text.name : parent + " " + text.name;
  text.description = one_line(app.get_description());
  for (const CLI::Option* const option : app.get_options()) {
    OptionText described = describe_option(*option);
    (described.positional ? text.positionals : text.options).push_back(std::move(described));
  }
  for (const CLI::App* const below : app.get_subcommands([](const CLI::App*) { return true; })) {
    text.subcommands.push_back(describe_command(*below, text.path));
  }
  return text;
}

std::vector<const CommandText*> all_commands(const CommandText& top) {
  std::vector<const CommandText*> commands{&top};
  for (const CommandText& below : top.subcommands) {
    const std::vector<const CommandText*> more = all_commands(below);
    commands.insert(commands.end(), more.begin(), more.end());
  }
  return commands;
}

}  // namespace pleat::cli
