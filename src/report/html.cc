#include "report/html.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <iterator>

#include "core/error.h"
#include "sequence/text.h"

namespace pleat {
namespace {

struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 1;
};

// The first character of valid UTF-8.
Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  std::uint32_t code = lead & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) code = code << 6 | (byte(i) & 0x3FU);
  return {code, bytes};
}

// Control characters, and those of Unicode that have no width or that turn the direction of writing. The page's script
// has the same list.
bool is_invisible(std::uint32_t code) {
  struct Range {
    std::uint32_t first;
    std::uint32_t last;
  };
  constexpr std::array<Range, 8> ranges{{{0x00, 0x1F},
                                         {0x7F, 0x9F},
                                         {0xAD, 0xAD},
                                         {0x61C, 0x61C},
                                         {0x200B, 0x200F},
                                         {0x2028, 0x202E},
                                         {0x2060, 0x206F},
                                         {0xFEFF, 0xFEFF}}};
  for (const Range& range : ranges) {
    if (code >= range.first && code <= range.last) return true;
  }
  return false;
}

void append_escaped(std::string& out, std::string_view character, std::uint32_t code) {
  switch (code) {
    case '&': out += "&amp;"; return;
    case '<': out += "&lt;"; return;
    case '>': out += "&gt;"; return;
    case '"': out += "&quot;"; return;
    case '\'': out += "&#39;"; return;
    default: break;
  }
  if (is_invisible(code) && code != '\n') {
    fmt::format_to(std::back_inserter(out), "⟨U+{:04X}⟩", code);
  } else {
    out += character;
  }
}

}  // namespace

std::string escaped(std::string_view text) { return escaped(text, text.size()); }

std::string escaped(std::string_view text, std::size_t longest) {
  std::string clean;
  if (!is_utf8(text)) {
    clean = text;
    make_clean_utf8(clean);
    text = clean;
  }
  std::string out;
  std::size_t at = 0;
  while (at < text.size() && at < longest) {
    const Character character = first_character(text.substr(at));
    append_escaped(out, text.substr(at, character.bytes), character.code);
    at += character.bytes;
  }
  if (at < text.size()) out += "…";
  return out;
}

std::string filled(std::string_view page, const std::map<std::string, std::string, std::less<>>& values) {
  std::string out;
  for (;;) {
    const std::size_t begin = page.find("{{");
    const std::size_t end = begin == std::string_view::npos ? begin : page.find("}}", begin);
    if (end == std::string_view::npos) return out += page;
    const std::string_view name = page.substr(begin + 2, end - begin - 2);
    const auto value = values.find(name);
    if (value == values.end()) throw Error(ErrorCode::internal, "the page has no value for " + std::string(name));
    out += page.substr(0, begin);
    out += value->second;
    page.remove_prefix(end + 2);
  }
}

}  // namespace pleat
