// Sizes for people.
#pragma once

#include <cstdint>
#include <string>

namespace pleat::cli {

// "1.5 GB"; powers of ten.
[[nodiscard]] std::string size_text(std::uint64_t bytes);

}  // namespace pleat::cli
