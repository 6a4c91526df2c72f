// Lines of comma-separated values.
#pragma once

#include <string>
#include <string_view>

namespace pleat {

// Quoted where it must be, as RFC 4180 says.
[[nodiscard]] std::string csv_field(std::string_view text);

// ",1.25": as short as leads back to the same float32; "," for NaN.
void append_number(std::string& line, float value);

}  // namespace pleat
