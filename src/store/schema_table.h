// The result file as a table: one row per dataset and attribute, with the names of schema.h. docs/results-reference.md
// is made from it, and a test compares it with files that were written.
#pragma once

#include <span>
#include <string>

namespace pleat::schema {

struct DatasetEntry {
  const char* path;     // NN stands for the number of a layer
  const char* type;     // as `shape`, words for people and programs: "int64", "uint8 enum", "float16 or float32", ...
  const char* shape;    // "U, D", in the letters of shape_letters()
  const char* unit;     // "" for what has none
  const char* present;  // when it is in the file; "" for always
  const char* meaning;
};

struct AttributeEntry {
  const char* object;  // "/" or a dataset's path; "strings" stands for every dataset of strings of varying length
  const char* name;
  const char* type;
  const char* shape;    // "" for a single value
  const char* present;  // as above
  const char* meaning;
};

// What a letter of a shape stands for.
struct ShapeLetter {
  const char* letter;
  const char* meaning;
};

// In the order of the reference page.
[[nodiscard]] std::span<const DatasetEntry> dataset_table();
[[nodiscard]] std::span<const AttributeEntry> attribute_table();
[[nodiscard]] std::span<const ShapeLetter> shape_letters();

// The tables as JSON for programs, and as the page docs/results-reference.md.
[[nodiscard]] std::string results_json();
[[nodiscard]] std::string results_markdown();

}  // namespace pleat::schema
