#pragma once

#include <string>

namespace pleat {

// This machine's name; empty where it has none.
[[nodiscard]] std::string host_name();

}  // namespace pleat
