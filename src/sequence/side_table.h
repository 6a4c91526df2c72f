// A table beside the sequences, which says what to do with them: of pairs, or of variants.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

#include "core/stop.h"
#include "sequence/input_file.h"
#include "sequence/line_reader.h"

namespace pleat {

// Opens the table and has `read` take its rows, which counts them. Returns the table's row of /inputs, in which a table
// that merely breaks off is `cut_off` and one without rows is `empty`. `kind` is what a row holds: "pair". Throws
// Error(missing_input) where nothing of the table can be read or it is damaged, or `read` throws Error(bad_input), and
// Stopped; `stop` may be null.
[[nodiscard]] InputReport read_side_table(const std::filesystem::path& file, std::string_view kind,
                                          const StopToken* stop,
                                          const std::function<void(LineReader& lines, std::int64_t& rows)>& read);

}  // namespace pleat
