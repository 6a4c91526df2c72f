#include "weights/pickle_opcode.h"

#include <algorithm>
#include <array>
#include <utility>

namespace pleat {

std::string name_of_opcode(std::uint8_t code) {
  constexpr std::array<std::pair<int, const char*>, 26> names{{{'i', "INST"},       {'o', "OBJ"},
                                                               {0x81, "NEWOBJ"},    {0x92, "NEWOBJ_EX"},
                                                               {0x82, "EXT1"},      {0x83, "EXT2"},
                                                               {0x84, "EXT4"},      {'P', "PERSID"},
                                                               {']', "EMPTY_LIST"}, {'l', "LIST"},
                                                               {'a', "APPEND"},     {'e', "APPENDS"},
                                                               {'d', "DICT"},       {'0', "POP"},
                                                               {'1', "POP_MARK"},   {'2', "DUP"},
                                                               {'G', "BINFLOAT"},   {'F', "FLOAT"},
                                                               {'I', "INT"},        {'L', "LONG"},
                                                               {'T', "BINSTRING"},  {'U', "SHORT_BINSTRING"},
                                                               {'B', "BINBYTES"},   {'C', "SHORT_BINBYTES"},
                                                               {0x8b, "LONG4"},     {0x8f, "EMPTY_SET"}}};
  const int number = code;
  const auto* const found = std::ranges::find(names, number, &std::pair<int, const char*>::first);
  return found == names.end() ? "number " + std::to_string(number) : found->second;
}

}  // namespace pleat
