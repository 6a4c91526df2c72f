// What a manifest may hold, described for programs and for people. Both texts are made from the table that also
// drives load_manifest(), so they cannot disagree with it about a key, its type, its range or its default.
#pragma once

#include <string>

namespace pleat {

// JSON Schema, draft 2020-12, indented, with a final line feed.
[[nodiscard]] std::string manifest_json_schema();

// The reference page docs/manifest.md.
[[nodiscard]] std::string manifest_markdown();

}  // namespace pleat
