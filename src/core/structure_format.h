// The kinds of text file that a structure can be written as.
#pragma once

#include <cstdint>

namespace pleat {

enum class StructureFormat : std::uint8_t { pdb, cif };

}  // namespace pleat
