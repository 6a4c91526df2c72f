#include "sequence/text.h"

#include <algorithm>
#include <cstddef>

#include "core/printable.h"

namespace pleat {
namespace {

constexpr std::string_view replacement_character = "\xEF\xBF\xBD";  // U+FFFD

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// Bytes of the well-formed character that `text` starts with (Unicode, table 3-7), 0 where there is none.
std::size_t character_length(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  std::size_t length = 0;
  if (lead >= 0xC2 && lead <= 0xDF) length = 2;
  if (lead >= 0xE0 && lead <= 0xEF) length = 3;
  if (lead >= 0xF0 && lead <= 0xF4) length = 4;
  if (length == 0 || text.size() < length) return 0;
  if (!std::all_of(text.begin() + 1, text.begin() + static_cast<std::ptrdiff_t>(length), is_continuation)) return 0;
  const unsigned char second = byte(1);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool surrogate = lead == 0xED && second > 0x9F;
  const bool too_large = lead == 0xF4 && second > 0x8F;
  return overlong || surrogate || too_large ? 0 : length;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7F;
}

std::string in_quotes(std::string_view text) { return std::string(1, '\'').append(text).append(1, '\''); }

bool is_plain(char c) { return static_cast<unsigned char>(c) < 0x80 && !is_control(c); }

}  // namespace

std::string quoted(const std::filesystem::path& file) { return in_quotes(file.string()); }

std::string quoted(std::string_view text) { return in_quotes(printable(text)); }

bool make_clean_utf8(std::string& text) {
  if (std::all_of(text.begin(), text.end(), is_plain)) return false;
  std::string clean;
  bool changed = false;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t length = character_length(rest);
    const bool bad = length == 0 || is_control(rest.front()) || starts_with_wide_control(rest);
    clean += bad ? replacement_character : rest.substr(0, length);
    changed = changed || bad;
    rest.remove_prefix(std::max<std::size_t>(length, 1));
  }
  text = std::move(clean);
  return changed;
}

}  // namespace pleat
