// Paths as people write them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace pleat {

// The value of a variable of the environment, nothing where it is not set.
using Environment = std::function<std::optional<std::string>(const std::string&)>;
[[nodiscard]] std::optional<std::string> environment_variable(const std::string& name);

// `~` at the start, alone or before a slash, becomes $HOME, and ${VAR} the value of VAR; everything else stays,
// a `$` without braces too. Throws Error(bad_manifest) for a variable that is not set and for a brace without its end;
// the text has no position, which the caller knows.
[[nodiscard]] std::string expanded(std::string_view text, const Environment& environment = environment_variable);

}  // namespace pleat
