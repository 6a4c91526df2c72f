#include "report/web_files.h"

#include <string>

// The assembler puts a file's bytes between two symbols: no program has to turn half a megabyte into C++ before.
#define PLEAT_WEB_FILE(symbol, name)         \
  __asm__(                                   \
      ".section .rodata\n"                   \
      ".global " #symbol "_begin\n" #symbol  \
      "_begin:\n"                            \
      ".incbin \"" PLEAT_WEB_FOLDER "/" name \
      "\"\n"                                 \
      ".global " #symbol "_end\n" #symbol    \
      "_end:\n"                              \
      ".previous\n");                        \
  extern "C" {                               \
  extern const char symbol##_begin[];        \
  extern const char symbol##_end[];          \
  }

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

#define PLEAT_WEB_TEXT(symbol) std::string_view(symbol##_begin, symbol##_end)

namespace pleat::web {

std::string_view page_template() { return PLEAT_WEB_TEXT(pleat_web_template); }
std::string_view style() { return PLEAT_WEB_TEXT(pleat_web_style); }
std::string_view molecule_viewer() { return PLEAT_WEB_TEXT(pleat_web_3dmol); }
std::string_view molecule_licence() { return PLEAT_WEB_TEXT(pleat_web_3dmol_licence); }

// One scope for all files, which share their functions and nothing with the viewer.
std::string_view script() {
  static const std::string all = [] {
    std::string text = "(() => {\n'use strict';\n";
    for (const std::string_view part :
         {PLEAT_WEB_TEXT(pleat_web_data), PLEAT_WEB_TEXT(pleat_web_state), PLEAT_WEB_TEXT(pleat_web_table),
          PLEAT_WEB_TEXT(pleat_web_plots), PLEAT_WEB_TEXT(pleat_web_pdb), PLEAT_WEB_TEXT(pleat_web_map),
          PLEAT_WEB_TEXT(pleat_web_viewer), PLEAT_WEB_TEXT(pleat_web_detail), PLEAT_WEB_TEXT(pleat_web_scatter),
          PLEAT_WEB_TEXT(pleat_web_run), PLEAT_WEB_TEXT(pleat_web_main)}) {
      text += part;
    }
    return text + "})();\n";
  }();
  return all;
}

}  // namespace pleat::web
