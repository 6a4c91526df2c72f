// Files of the repository that are part of the program.
#pragma once

// Declares SYMBOL_begin and SYMBOL_end, between which the assembler puts the bytes of the file at `path`, a literal: no
// program has to turn them into C++ before. In one source file, at its top level; CMake must be told of the file, since
// the compiler does not see it.
#define PLEAT_EMBEDDED_FILE(symbol, path)   \
  __asm__(                                  \
      ".section .rodata\n"                  \
      ".global " #symbol "_begin\n" #symbol \
      "_begin:\n"                           \
      ".incbin \"" path                     \
      "\"\n"                                \
      ".global " #symbol "_end\n" #symbol   \
      "_end:\n"                             \
      ".previous\n");                       \
  extern "C" {                              \
  extern const char symbol##_begin[];       \
  extern const char symbol##_end[];         \
  }

#define PLEAT_EMBEDDED_TEXT(symbol) std::string_view(symbol##_begin, symbol##_end)
