// "Did you mean ...?": the known word closest to what somebody typed.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace pleat {

// The candidate with the smallest edit distance (insert, delete, substitute, swap of neighbours), or an empty
// string where none is close enough to be what was meant: at most a third of the word's length, and at least 2.
[[nodiscard]] std::string nearest(std::string_view word, std::span<const std::string> candidates);

}  // namespace pleat
