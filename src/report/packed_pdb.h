// A PDB file in columns, which take a third of what its lines take; the page's script makes the same lines again.
#pragma once

#include <string_view>

#include "report/blob.h"

namespace pleat {

// Adds the columns of the ATOM lines; meta["pdb"] has the other lines with their numbers, or, of a file whose lines are
// not as pleat writes them, the whole text.
void pack_pdb(std::string_view text, Blob& blob);

}  // namespace pleat
