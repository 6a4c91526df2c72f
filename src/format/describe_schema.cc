// The tables of the result file for programs and for people.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/record_code.h"
#include "format/schema.h"
#include "format/schema_table.h"

namespace pleat::schema {
namespace {

using Json = nlohmann::ordered_json;

// ["U", "D"] of "U, D".
Json sizes_of(std::string_view shape) {
  Json sizes = Json::array();
  while (!shape.empty()) {
    const std::size_t end = shape.find(", ");
    sizes.push_back(shape.substr(0, end));
    shape.remove_prefix(end == std::string_view::npos ? shape.size() : end + 2);
  }
  return sizes;
}

constexpr std::string_view head = R"(# The result file: every dataset and attribute

<!-- Made by `pleat schema results --markdown`; change dataset_table.cc and attribute_table.cc, not this page. -->

[results.md](results.md) says how to read the file. `pleat schema results` prints these tables as JSON.

)";

std::string brackets(std::string_view shape) { return shape.empty() ? "" : fmt::format(" [{}]", shape); }

std::string letters_markdown() {
  std::string text = "In the shapes, ";
  for (const ShapeLetter& letter : shape_letters()) {
    if (&letter != shape_letters().data()) text += "; ";
    text += fmt::format("{} = {}", letter.letter, letter.meaning);
  }
  return text + ".\n";
}

// What is missing elsewhere than as NaN: " (`atom_mask` 0, `recycles` -1)".
std::string missing_text() {
  std::string text;
  for (const DatasetEntry& entry : dataset_table()) {
    if (!entry.is_computed() || std::isnan(entry.missing)) continue;
    text += fmt::format("{}`{}` {:.0f}", text.empty() ? " (" : ", ", entry.path.substr(entry.path.rfind('/') + 1),
                        entry.missing);
  }
  return text.empty() ? text : text + ")";
}

std::string datasets_markdown() {
  std::string text = fmt::format(R"(
## Datasets

Without a task named under "there with" a dataset is in every file. `float16 or float32` is what
`tasks.embeddings.dtype` says, in `/structures` what `tasks.structure.dtype` says. NN is 00 for the embedding layer
and up to the model's depth for the last one, of attention from 01; of the layers, and of `mean`, `bos` and
`per_residue`, those are there that the manifest asked for. Rows that could not be computed hold NaN{}.

| path | type and shape | unit | there with | meaning |
| --- | --- | --- | --- | --- |
)",
                                 missing_text());
  for (const DatasetEntry& entry : dataset_table()) {
    text += fmt::format("| `{}` | {} [{}] | {} | {} | {} |\n", entry.path, text_of(entry.element), entry.shape_text(),
                        entry.unit, text_of(entry.present), entry.help);
  }
  return text;
}

std::string attributes_markdown() {
  std::string text =
      "\n## Attributes\n\n\"strings\" stands for each of the datasets of type utf8, but `/structures/atom14_names`.\n\n"
      "| of | name | type and shape | there with | meaning |\n| --- | --- | --- | --- | --- |\n";
  for (const AttributeEntry& entry : attribute_table()) {
    text += fmt::format("| `{}` | `{}` | {}{} | {} | {} |\n", entry.object, entry.name, entry.type,
                        brackets(entry.shape), text_of(entry.present), entry.help);
  }
  return text;
}

std::string codes_markdown() {
  std::string text =
      "\n## Error codes\n\nThe words of `/records/error_code`. Those of records that are ok are notes. A file of a "
      "newer pleat may hold others. Those of variants stand in `/scores/table/error_code`, where `bad_row`, "
      "`missing_value` and `cut_off` may stand too.\n\n"
      "| code | status | meaning | what to do |\n| --- | --- | --- | --- |\n";
  for (const RecordCodeEntry& entry : record_codes) {
    text += fmt::format("| `{}` | {} | {} | {} |\n", entry.word, entry.status, entry.help, entry.remedy);
  }
  return text;
}

}  // namespace

std::string results_json() {
  Json json{{"format", format_name}, {"schema_version", version}};
  for (const ShapeLetter& letter : shape_letters()) json["shape_letters"][letter.letter] = letter.meaning;
  for (const DatasetEntry& entry : dataset_table()) {
    json["datasets"].push_back({{"path", entry.path},
                                {"type", text_of(entry.element)},
                                {"shape", sizes_of(entry.shape_text())},
                                {"unit", entry.unit},
                                {"present", text_of(entry.present)},
                                {"meaning", entry.help}});
  }
  for (const AttributeEntry& entry : attribute_table()) {
    json["attributes"].push_back({{"object", entry.object},
                                  {"name", entry.name},
                                  {"type", entry.type},
                                  {"shape", sizes_of(entry.shape)},
                                  {"present", text_of(entry.present)},
                                  {"meaning", entry.help}});
  }
  for (const RecordCodeEntry& entry : record_codes) {
    json["error_codes"].push_back(
        {{"code", entry.word}, {"status", entry.status}, {"meaning", entry.help}, {"remedy", entry.remedy}});
  }
  return json.dump(2) + "\n";
}

std::string results_markdown() {
  return std::string(head) + letters_markdown() + datasets_markdown() + attributes_markdown() + codes_markdown();
}

}  // namespace pleat::schema
