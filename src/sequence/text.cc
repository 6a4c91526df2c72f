#include "sequence/text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/printable.h"

namespace pleat {
namespace {

constexpr std::string_view replacement_character = "\xEF\xBF\xBD";  // U+FFFD

// A tab may stand between the words of a description.
bool is_unwanted(char c) { return is_control(c) && c != '\t'; }

std::string in_quotes(std::string_view text) { return std::string(1, '\'').append(text).append(1, '\''); }

bool is_plain(char c) { return static_cast<unsigned char>(c) < 0x80 && !is_unwanted(c); }

}  // namespace

std::string quoted(const std::filesystem::path& file) { return in_quotes(file.string()); }

std::string quoted(std::string_view text) { return in_quotes(printable(text)); }

bool make_clean_utf8(std::string& text) {
  if (std::all_of(text.begin(), text.end(), is_plain)) return false;
  std::string clean;
  bool changed = false;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t length = utf8_length(rest);
    const bool bad = length == 0 || is_unwanted(rest.front()) || starts_with_wide_control(rest);
    clean += bad ? replacement_character : rest.substr(0, length);
    changed = changed || bad;
    rest.remove_prefix(std::max<std::size_t>(length, 1));
  }
  text = std::move(clean);
  return changed;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string utf8_of_windows_1252(std::string_view text) {
  // Of 0x80 to 0x9F; the others are those of Latin-1.
  static constexpr std::array<std::uint16_t, 32> upper{0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                                       0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD,
                                                       0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                                       0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178};
  std::string utf8;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const unsigned code = byte >= 0x80 && byte < 0xA0 ? upper[byte - 0x80U] : byte;
    if (code < 0x80) {
      utf8 += c;
    } else if (code < 0x800) {
      utf8 += static_cast<char>(0xC0U | code >> 6U);
      utf8 += static_cast<char>(0x80U | (code & 0x3FU));
    } else {
      utf8 += static_cast<char>(0xE0U | code >> 12U);
      utf8 += static_cast<char>(0x80U | (code >> 6U & 0x3FU));
      utf8 += static_cast<char>(0x80U | (code & 0x3FU));
    }
  }
  return utf8;
}

std::size_t white_space_length(std::string_view text) {
  static constexpr std::array<std::string_view, 9> wide{"\xC2\xA0",     "\xE2\x80\xA8", "\xE2\x80\xA9",
                                                        "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE2\x81\xA0",
                                                        "\xE3\x80\x80", "\xEF\xBB\xBF", "\xE1\x9A\x80"};
  if (text.empty()) return 0;
  const auto byte = static_cast<unsigned char>(text.front());
  if (byte == ' ' || (byte >= '\t' && byte <= '\r') || byte == 0xA0) return 1;
  // U+2000 to U+200D: spaces of all widths, none included.
  if (text.starts_with("\xE2\x80") && text.size() > 2 && static_cast<unsigned char>(text[2]) <= 0x8D) return 3;
  for (const std::string_view space : wide) {
    if (text.starts_with(space)) return space.size();
  }
  return 0;
}

std::string readable(std::string text) {
  if (!is_utf8(text)) text = utf8_of_windows_1252(text);
  make_clean_utf8(text);
  return text;
}

std::string_view behind_white_space(std::string_view text) {
  while (const std::size_t length = white_space_length(text)) text.remove_prefix(length);
  return text;
}

}  // namespace pleat
