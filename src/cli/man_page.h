// The man page pleat(1).
#pragma once

#include <string>

#include "cli/command_table.h"

namespace pleat::cli {

// In roff with the macros of man(7). `version` stands in its footer.
[[nodiscard]] std::string man_page(const CommandText& program, const std::string& version);

}  // namespace pleat::cli
