#include "manifest/expand.h"

#include <cstdlib>

#include "core/error.h"
#include "core/printable.h"

namespace pleat {
namespace {

std::string value_of(const std::string& name, std::string_view text, const Environment& environment) {
  if (const auto value = environment(name)) return *value;
  throw Error(ErrorCode::bad_manifest,
              "the variable " + printable(name) + " in '" + printable(text) + "' is not set in the environment",
              "set it (export " + printable(name) + "=...), or write the path itself");
}

}  // namespace

std::optional<std::string> environment_variable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::string expanded(std::string_view text, const Environment& environment) {
  std::string out;
  std::string_view rest = text;
  if (rest == "~" || rest.starts_with("~/")) {
    out = value_of("HOME", text, environment);
    rest.remove_prefix(1);
  }
  while (!rest.empty()) {
    const std::size_t begin = rest.find("${");
    out += rest.substr(0, begin);
    if (begin == std::string_view::npos) break;
    const std::size_t end = rest.find('}', begin);
    if (end == std::string_view::npos || end == begin + 2) {
      throw Error(ErrorCode::bad_manifest, "'" + printable(text) + "' has a ${ without a name and its }",
                  "write ${NAME}, as of a variable of the environment");
    }
    out += value_of(std::string(rest.substr(begin + 2, end - begin - 2)), text, environment);
    rest.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace pleat
