// What to do about records that did not become results.
#pragma once

#include <string_view>

namespace pleat {

// A sentence for a record's error_code; a general one for a code that is not known.
[[nodiscard]] std::string_view failure_hint(std::string_view code);

}  // namespace pleat
