// Which sources this program was built from.
#pragma once

namespace pleat {

// The commit; "COMMIT-dirty-HASH" or "unknown-HASH" where what was compiled is not known to be that of a commit, HASH
// being that of everything that was compiled. Written by the build, see cmake/PleatRevision.cmake.
[[nodiscard]] const char* revision();

}  // namespace pleat
