// The zip container (PKWARE's APPNOTE 6.3), as far as torch.save uses it: whole files, stored and not compressed.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>

#include "weights/refusal.h"

namespace pleat {

// The files of an archive by name, as views into `bytes`. Only what the central directory lists counts, and every word
// of it is checked against the rest: offsets in range, local headers that tell the same, no two files that overlap,
// names that stay inside the archive and occur once. Archives beyond 4 GB (zip64) are read; compressed or encrypted
// files, several disks and a comment at the end are not. CRC-32 sums are not computed: that
// would read every byte. Throws Error(bad_input).
[[nodiscard]] std::map<std::string, std::span<const std::byte>> parse_zip(std::span<const std::byte> bytes,
                                                                          const Refusal& refuse);

}  // namespace pleat
