// A predicted structure in gemmi's terms.
#pragma once

#include <gemmi/model.hpp>
#include <string>
#include <string_view>

#include "export/structure.h"

namespace pleat {

// One model, a chain per chain and an entity per distinct sequence. Coordinates are rounded to 0.001 ångström, pLDDT
// to 0.01, as both formats print them. Residues without atoms are there.
[[nodiscard]] gemmi::Structure gemmi_structure(const Structure& structure);

// Both formats are ASCII: '?' for every other character and for control characters; cut at `longest`.
[[nodiscard]] std::string ascii_text(std::string_view text, std::size_t longest);

// "%.*f"; "nan" becomes `missing`.
[[nodiscard]] std::string decimal_text(double value, int digits, const char* missing);

}  // namespace pleat
