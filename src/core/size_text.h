// How people write a number of bytes.
#pragma once

#include <cstdint>
#include <string>

namespace pleat {

// "1.5 GB", "20.1 MB", "3.0 kB", "7 B": in thousands, and never a rounded zero.
[[nodiscard]] std::string size_text(std::uint64_t bytes);

}  // namespace pleat
