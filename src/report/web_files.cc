#include "report/web_files.h"

#include <string>

#include "core/embedded_file.h"

#define PLEAT_WEB_FILE(symbol, name) PLEAT_EMBEDDED_FILE(symbol, PLEAT_WEB_FOLDER "/" name)

PLEAT_WEB_FILE(pleat_web_template, "template.html")
PLEAT_WEB_FILE(pleat_web_style, "style.css")
PLEAT_WEB_FILE(pleat_web_data, "data.js")
PLEAT_WEB_FILE(pleat_web_state, "state.js")
PLEAT_WEB_FILE(pleat_web_table, "table.js")
PLEAT_WEB_FILE(pleat_web_plots, "plots.js")
PLEAT_WEB_FILE(pleat_web_pdb, "pdb.js")
PLEAT_WEB_FILE(pleat_web_map, "map.js")
PLEAT_WEB_FILE(pleat_web_viewer, "viewer.js")
PLEAT_WEB_FILE(pleat_web_detail, "detail.js")
PLEAT_WEB_FILE(pleat_web_scatter, "scatter.js")
PLEAT_WEB_FILE(pleat_web_run, "run.js")
PLEAT_WEB_FILE(pleat_web_main, "main.js")
PLEAT_WEB_FILE(pleat_web_3dmol, "3dmol/3Dmol-min.js")
PLEAT_WEB_FILE(pleat_web_3dmol_licence, "3dmol/LICENSE")

namespace pleat::web {

std::string_view page_template() { return PLEAT_EMBEDDED_TEXT(pleat_web_template); }
std::string_view style() { return PLEAT_EMBEDDED_TEXT(pleat_web_style); }
std::string_view molecule_viewer() { return PLEAT_EMBEDDED_TEXT(pleat_web_3dmol); }
std::string_view molecule_licence() { return PLEAT_EMBEDDED_TEXT(pleat_web_3dmol_licence); }

// One scope for all files, which share their functions and nothing with the viewer.
std::string_view script() {
  static const std::string all = [] {
    std::string text = "(() => {\n'use strict';\n";
    for (const std::string_view part :
         {PLEAT_EMBEDDED_TEXT(pleat_web_data), PLEAT_EMBEDDED_TEXT(pleat_web_state),
          PLEAT_EMBEDDED_TEXT(pleat_web_table), PLEAT_EMBEDDED_TEXT(pleat_web_plots),
          PLEAT_EMBEDDED_TEXT(pleat_web_pdb), PLEAT_EMBEDDED_TEXT(pleat_web_map), PLEAT_EMBEDDED_TEXT(pleat_web_viewer),
          PLEAT_EMBEDDED_TEXT(pleat_web_detail), PLEAT_EMBEDDED_TEXT(pleat_web_scatter),
          PLEAT_EMBEDDED_TEXT(pleat_web_run), PLEAT_EMBEDDED_TEXT(pleat_web_main)}) {
      text += part;
    }
    return text + "})();\n";
  }();
  return all;
}

}  // namespace pleat::web
