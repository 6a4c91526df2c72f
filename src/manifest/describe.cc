// The table of keys as JSON Schema and as a reference page.
#include <nlohmann/json.hpp>

#include "manifest/keys.h"
#include "manifest/schema.h"

namespace pleat {
namespace {

using Json = nlohmann::ordered_json;

Json number_schema(const Key& key, std::string_view type) {
  Json schema{{"type", type}};
  if (key.lowest != std::numeric_limits<std::int64_t>::min()) schema["minimum"] = key.lowest;
  if (key.highest != std::numeric_limits<std::int64_t>::max()) schema["maximum"] = key.highest;
  return schema;
}

template <typename Enum>
Json choice_schema(Enum) {
  Json words = Json::array();
  for (const auto& choice : choices_of(Enum{})) words.push_back(choice.word);
  return {{"enum", words}};
}

template <typename Enum>
Json word_of(Enum value) {
  for (const auto& choice : choices_of(Enum{})) {
    if (choice.value == value) return choice.word;
  }
  return nullptr;
}

// One value, or a list with at least one.
Json one_or_list(const Json& item) {
  return {{"anyOf", Json::array({item, {{"type", "array"}, {"items", item}, {"minItems", 1}}})}};
}

Json map_schema(std::string_view section);

struct TypeSchema {
  const Key& key;

  Json operator()(std::monostate) const { return map_schema(key.path); }
  Json operator()(const bool*) const {
    Json flag{{"type", "boolean"}};
    if (!key.section) return flag;
    return {{"anyOf", Json::array({flag, map_schema(key.path)})}};
  }
  Json operator()(const std::int64_t*) const { return number_schema(key, "integer"); }
  Json operator()(const double*) const { return number_schema(key, "number"); }
  Json operator()(const std::optional<std::int64_t>*) const {
    return {{"anyOf", Json::array({{{"const", "auto"}}, number_schema(key, "integer")})}};
  }
  Json operator()(const std::string*) const { return {{"type", "string"}, {"minLength", 1}}; }
  Json operator()(const std::vector<std::int64_t>*) const { return one_or_list(number_schema(key, "integer")); }
  Json operator()(const std::vector<std::string>*) const { return one_or_list({{"type", "string"}, {"minLength", 1}}); }
  Json operator()(const std::vector<InputSpec>*) const {
    const Json text{{"type", "string"}, {"minLength", 1}};
    const Json columns{{"type", "object"},
                       {"additionalProperties", false},
                       {"properties", {{"id", text}, {"sequence", text}, {"description", text}}}};
    const Json map{{"type", "object"},
                   {"additionalProperties", false},
                   {"required", Json::array({"file"})},
                   {"properties",
                    {{"file", text},
                     {"format", choice_schema(SourceFormat{})},
                     {"columns", columns},
                     {"delimiter", {{"enum", Json::array({",", ";", "|", "\t", "tab", " "})}}}}}};
    return one_or_list({{"anyOf", Json::array({text, map})}});
  }
  Json operator()(const std::vector<StructureFormat>*) const {
    const Json format = choice_schema(StructureFormat{});
    return {{"anyOf", Json::array({format, {{"type", "array"}, {"items", format}}})}};
  }
  template <typename Enum>
  Json operator()(const Enum*) const {
    return choice_schema(Enum{});
  }
};

struct DefaultValue {
  Json operator()(std::monostate) const { return nullptr; }
  Json operator()(const std::optional<std::int64_t>* value) const { return *value ? Json(**value) : Json("auto"); }
  Json operator()(const double* value) const {
    // A whole number is written as one.
    const auto whole = static_cast<std::int64_t>(*value);
    return static_cast<double>(whole) == *value ? Json(whole) : Json(*value);
  }
  Json operator()(const std::vector<StructureFormat>* value) const {
    Json words = Json::array();
    for (const StructureFormat format : *value) words.push_back(word_of(format));
    return words;
  }
  Json operator()(const std::vector<InputSpec>*) const { return nullptr; }
  template <typename T>
  Json operator()(const T* value) const {
    if constexpr (std::is_enum_v<T>) {
      return word_of(*value);
    } else {
      return *value;
    }
  }
};

// Required keys have none, and what an absent map means is told in its help.
bool has_default(const Key& key) { return !key.required && !key.section && !key.no_default; }

Json default_of(const Key& key) {
  Manifest defaults;
  return std::visit(DefaultValue{}, key.field(defaults));
}

Json key_schema(const Key& key) {
  Json schema{{"description", key.help}};
  Manifest defaults;
  schema.update(std::visit(TypeSchema{key}, key.field(defaults)));
  if (has_default(key)) schema["default"] = default_of(key);
  return schema;
}

Json map_schema(std::string_view section) {
  Json required = Json::array();
  Json properties = Json::object();
  for (const Key* const key : keys_below(section)) {
    properties[std::string(last_part(key->path))] = key_schema(*key);
    if (key->required) required.push_back(last_part(key->path));
  }
  Json schema{{"type", "object"}, {"additionalProperties", false}};
  if (!required.empty()) schema["required"] = required;
  schema["properties"] = properties;
  return schema;
}

constexpr std::string_view introduction = R"(# The manifest

<!-- Made by `pleat schema manifest --markdown`; change src/manifest/keys.cc or describe.cc, not this page. -->

A manifest is a YAML file that says what to compute, with which model and from which files. This one holds every key;
only the first four are required:

```yaml
version: 1
model: esm2_t6_8M_UR50D
inputs: [proteins.fasta, more.csv]
output: results.h5
pairs: false   # or {file: pairs.tsv, columns: [a, b], separator: _}, {mode: all_vs_all, self: false} or
               #     {mode: bait_vs_all, baits: [P1, P2]}
tasks:
  embeddings: {layers: [-1], per_residue: true, mean: true, bos: false, dtype: float16}
  logits: false
  contacts: false
  attentions: false  # or {layers: [-1]}
  scoring: false     # or {mode: exact, variants: none, method: masked_marginals}
  structure: false   # or {num_recycles: 3, recycle_tolerance: 0, pae: true, interfaces: true, pae_cutoff: 10,
                     #     distogram: false, trunk_states: false, dtype: float16, formats: [], chain_linker: 25,
                     #     chain_gap: 512} with a folding model
run: {devices: auto, precision: auto, max_tokens_per_batch: auto, chunk_size: auto}
policy: {residues: convert, max_length: 0, duplicates: share, nucleotides: warn, fail_on: any}
```

- A relative path in the manifest is relative to the folder that holds the manifest; one in an option, `--set`
  included, to where you stand. In both, `~` and `${VAR}` are replaced; a variable that is not set is an error. A name
  in an `@FILE` is taken as if it stood in its place.
- YAML takes ` #` and what follows for a comment, and a text that begins with `@`, `*` or is `-` for something else: put
  such names in quotes.
- `pleat run --set a.b=c` overrides one key, such as `--set 'tasks.embeddings.layers=[0,-1]'`. The value is read as YAML.
  A map replaces everything below its key; a key inside a task switches that task on. Overrides apply in their order.
- A wrong manifest stops the run before anything is computed, with exit status 78 and a message that names the file,
  the line and the column.
- A number is written plainly, in digits; `true` and `false` are the only words for yes and no.
- `pleat schema manifest` prints a JSON Schema, with which editors can check a manifest while it is written.

## Inputs

```yaml
inputs:
  - proteins.fasta            # a file
  - more/                     # a folder: the files in it, by name; hidden ones and folders are not looked at
  - "bins/*.faa"              # a pattern
  - "@files.txt"              # a file with the name of an input in each line; # begins a comment
  - "-"                       # standard input, once
  - {file: table.txt, columns: {id: Gene, sequence: Translation, description: Product}, delimiter: ";"}
```

The content decides, never the name. An input may be compressed with gzip (bgzip too), zstd, xz or bzip2. It is FASTA
when its first line begins with `>`, else a table, whose first row names the columns: one of `id`, `name`, `entry`,
`accession`, `header`, `protein`, `protein_id` and one of `sequence`, `seq`, `aa_sequence`, `protein_sequence`, in
upper or lower case, with blanks or `_`, and perhaps `description`. The delimiter is found from `,` `;` tab and `|`.
A byte order mark, a line `sep=;` and comment lines (`#`) before the header are understood. Quotes are those of
RFC 4180; where tabs divide, a quote is a character like any other (unless the header row is quoted). An id or a
sequence that is empty, or `NA`, `N/A`, `null`, `none` or `nan` without quotes, rejects the record (`missing_value`). In
a map, `format` (`fasta`, `csv`, `tsv`), `columns` and `delimiter` say what is not found by itself.

In FASTA, blanks around `>`, lines that begin with `;` and a Ctrl-Z at the end are skipped; of headers that Ctrl-A
joins the first is the id. White space inside sequences and numbers by themselves at the ends of their lines are left
out, with a note (`sequence_cleaned`); a `>` inside a line rejects the record (`lost_header`). Headers that are not
UTF-8 are read as Windows-1252, with a note.

An input that is missing, damaged or something else (FASTQ, GenBank, PDB, a web page) does not end the run: all else is
computed, `/inputs` in the result file and the summary say what was wrong, and the exit status is 65 as if a record
were bad (see `policy.fail_on`). The record in which an input breaks off is rejected (`cut_off`); of compressed data
whose checksum fails nothing is taken. Where no input can be read, the status is 66 and there is no file. An input
without records gives a warning.

## Pairs

```yaml
inputs: [proteome.fasta]
output: complexes.h5
pairs: {file: pairs.tsv}                      # a row for each pair, with the columns a and b
# pairs: {mode: all_vs_all}                   # each two records: 1,000 records make 499,500 complexes
# pairs: {mode: bait_vs_all, baits: [P1, P2]} # or "@baits.txt"
tasks: {structure: true}
```

The records of the inputs are then parts, and no results of their own. Each pair is one record of the result, with the
chains of A and then those of B, as if A:B had been written. `pleat plan` says how many there are, and what they cost.

- A complex is called by the ids of A and B with `separator` between them, such as `P1_P2`; in a table a column `id`,
  where there is one, names it. Two complexes of one name end the work with 66. `/records/part_a` and `part_b`
  hold the two ids in any case.
- The order counts: A,B and B,A are two complexes, and a warning says so. Equal complexes are computed once.
- The table is read as a table of sequences is: comma, semicolon, tab or `|`, quotes, comments, compression. It is listed
  in `/inputs`. One that cannot be read ends the work with 66; one without rows gives a warning.
- A pair that names no record (`unknown_part`), or a name that several have (`ambiguous_part`), is rejected, and all else
  is computed. So is a pair of a record that was rejected, with that record's word. Where `mode` makes the pairs, all ids
  must differ.
- `policy.max_length` counts for the complex. Shards divide the complexes.

## Keys
)";

void append_table_head(std::string& page) {
  page += "\n| key | value | default | meaning |\n| --- | --- | --- | --- |\n";
}

void append_row(std::string& page, const Key& key) {
  const std::string value = has_default(key) ? "`" + default_of(key).dump() + "`" : key.required ? "required" : "";
  page +=
      "| `" + std::string(key.path) + "` | " + type_text(key) + " | " + value + " | " + std::string(key.help) + " |\n";
}

}  // namespace

std::string manifest_json_schema() {
  Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"title", "pleat manifest"},
              {"description", "What pleat computes, with which model and from which files."}};
  schema.update(map_schema(""));
  return schema.dump(2) + "\n";
}

std::string manifest_markdown() {
  std::string page(introduction);
  append_table_head(page);
  for (const Key* const key : keys_below("")) {
    if (!key->section) append_row(page, *key);
  }
  for (const Key* const section : keys_below("")) {
    if (!section->section) continue;
    page += "\n## " + std::string(section->path) + "\n\n" + std::string(section->help) + "\n";
    append_table_head(page);
    const std::string prefix = std::string(section->path) + ".";
    for (const Key& key : manifest_keys()) {
      if (key.path.starts_with(prefix)) append_row(page, key);
    }
  }
  return page;
}

}  // namespace pleat
