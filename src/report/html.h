// Text from outside, made fit for a page.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace pleat {

// `text` with the characters escaped that mean something in HTML, in elements and in quoted attributes. Characters that
// cannot be seen or that change the direction of what follows, such as U+202E, are shown by their numbers; bytes that
// are no UTF-8 become U+FFFD.
[[nodiscard]] std::string escaped(std::string_view text);

// The same, cut after about `longest` bytes, with an ellipsis.
[[nodiscard]] std::string escaped(std::string_view text, std::size_t longest);

// `page` with each {{name}} replaced by its value, in one pass: values are not looked into. Throws Error(internal) for
// a name that is not among them.
[[nodiscard]] std::string filled(std::string_view page, const std::map<std::string, std::string, std::less<>>& values);

}  // namespace pleat
