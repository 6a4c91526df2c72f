#include "core/printable.h"

#include <algorithm>

namespace pleat {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

}  // namespace

bool starts_with_wide_control(std::string_view text) {
  return text.size() >= 2 && text[0] == '\xc2' && is_continuation(text[1]) &&
         static_cast<unsigned char>(text[1]) < 0xa0;
}

std::string printable(std::string_view text, std::size_t longest) {
  std::size_t end = std::min(text.size(), longest);
  while (end > 0 && end < text.size() && is_continuation(text[end])) --end;
  std::string shown;
  for (std::string_view rest = text.substr(0, end); !rest.empty();) {
    const bool wide = starts_with_wide_control(rest);
    shown += wide || is_control(rest.front()) ? '?' : rest.front();
    rest.remove_prefix(wide ? 2 : 1);
  }
  if (end < text.size()) shown += "...";
  return shown;
}

}  // namespace pleat
