// The page's own files, built into the program.
#pragma once

#include <string_view>

namespace pleat::web {

[[nodiscard]] std::string_view page_template();  // template.html, with {{names}} to be filled in
[[nodiscard]] std::string_view style();
[[nodiscard]] std::string_view script();            // ours, all of it
[[nodiscard]] std::string_view molecule_viewer();   // 3Dmol.js
[[nodiscard]] std::string_view molecule_licence();  // of 3Dmol.js

}  // namespace pleat::web
