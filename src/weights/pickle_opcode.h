// The instructions of Python's pickle (Lib/pickletools.py) that torch.save writes.
#pragma once

#include <cstdint>
#include <string>

namespace pleat {

namespace opcode {

inline constexpr std::uint8_t mark = '(';
inline constexpr std::uint8_t stop = '.';
inline constexpr std::uint8_t bin_int = 'J';
inline constexpr std::uint8_t bin_int1 = 'K';
inline constexpr std::uint8_t bin_int2 = 'M';
inline constexpr std::uint8_t none = 'N';
inline constexpr std::uint8_t bin_persid = 'Q';
inline constexpr std::uint8_t reduce = 'R';
inline constexpr std::uint8_t bin_unicode = 'X';
inline constexpr std::uint8_t build = 'b';
inline constexpr std::uint8_t global = 'c';
inline constexpr std::uint8_t empty_dict = '}';
inline constexpr std::uint8_t bin_get = 'h';
inline constexpr std::uint8_t long_bin_get = 'j';
inline constexpr std::uint8_t bin_put = 'q';
inline constexpr std::uint8_t long_bin_put = 'r';
inline constexpr std::uint8_t set_item = 's';
inline constexpr std::uint8_t tuple = 't';
inline constexpr std::uint8_t set_items = 'u';
inline constexpr std::uint8_t empty_tuple = ')';
inline constexpr std::uint8_t proto = 0x80;
inline constexpr std::uint8_t tuple1 = 0x85;
inline constexpr std::uint8_t tuple2 = 0x86;
inline constexpr std::uint8_t tuple3 = 0x87;
inline constexpr std::uint8_t new_true = 0x88;
inline constexpr std::uint8_t new_false = 0x89;
inline constexpr std::uint8_t long1 = 0x8a;
inline constexpr std::uint8_t short_bin_unicode = 0x8c;
inline constexpr std::uint8_t bin_unicode8 = 0x8d;
inline constexpr std::uint8_t stack_global = 0x93;
inline constexpr std::uint8_t memoize = 0x94;
inline constexpr std::uint8_t frame = 0x95;

}  // namespace opcode

// What an instruction is called, for messages about refused ones.
[[nodiscard]] std::string name_of_opcode(std::uint8_t code);

}  // namespace pleat
