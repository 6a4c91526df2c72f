// From the manifest's `inputs` and `pairs` to what is read.
#pragma once

#include <vector>

#include "manifest/manifest.h"
#include "sequence/input_file.h"
#include "sequence/pair_list.h"

namespace pleat {

// Folders, patterns and files of names are looked into: the files of a folder or a pattern come in the order of their
// names' bytes, hidden ones are passed over. A name that is there is that file, whatever characters it has. A file that
// is not there, a pattern that matches nothing and a folder without files stay in the list, for the reader to tell of.
// Throws Error(missing_input) for a file of names that is none or holds none, and for standard input given twice.
[[nodiscard]] std::vector<InputFile> input_files(const Manifest& manifest);

// Which pairs of records `pairs` asks for; it must be on. Throws Error(missing_input) for a file of baits that cannot
// be read or names none.
[[nodiscard]] PairRule pair_rule(const Manifest& manifest);

}  // namespace pleat
