// The schema of the manifest: one row per key. Parsing, --set, the JSON Schema and docs/manifest.md all follow it.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/dtype.h"
#include "manifest/manifest.h"

namespace pleat {

// Where a key's value is kept. The type of the field is the type of the key; a monostate is a map of further keys.
using Field = std::variant<std::monostate, bool*, std::int64_t*, double*, std::optional<std::int64_t>*, std::string*,
                           std::vector<std::int64_t>*, std::vector<std::string>*, std::vector<StructureFormat>*,
                           std::vector<InputSpec>*, DType*, Precision*, ResiduePolicy*, DuplicatePolicy*,
                           NucleotideRule*, FailOn*, PairMode*, ScoringMode*, VariantMethod*>;

struct Key {
  std::string_view path = {};           // dotted: "tasks.embeddings.layers"
  Field (*field)(Manifest&) = nullptr;  // what stands there in Manifest{} is the default
  std::string_view help = {};           // one or two sentences, for the reference page and the schema
  bool required = false;
  bool section = false;     // a map of further keys; where its field is a bool, true or false may stand for the map
  bool is_path = false;     // see expand.h; in an option it is relative to where the user stands; of a list: after an @
  bool no_default = false;  // nothing that could be written stands for a value that is not given
  // The range of a number, both ends included.
  std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
  std::int64_t highest = std::numeric_limits<std::int64_t>::max();
  std::string_view example = {};  // a value as it is written in YAML; only where the default does not show it
  std::string_view hint = {};     // what to do when the value is wrong, where the type does not say it all
};

// Every key, parents before their children, in the order of the reference page.
[[nodiscard]] std::span<const Key> manifest_keys();

// The row of a path, or nullptr.
[[nodiscard]] const Key* find_key(std::string_view path);

// The rows right below a section; "" gives the top level.
[[nodiscard]] std::vector<const Key*> keys_below(std::string_view section);

// "layers" of "tasks.embeddings.layers", and "tasks.embeddings".
[[nodiscard]] std::string_view last_part(std::string_view path);
[[nodiscard]] std::string_view parent_of(std::string_view path);

// A word of a fixed choice and what it means. Of several words for one value the first is the usual one.
template <typename T>
struct Choice {
  std::string_view word;
  T value;
};

[[nodiscard]] std::span<const Choice<DType>> choices_of(DType kind);
[[nodiscard]] std::span<const Choice<Precision>> choices_of(Precision kind);
[[nodiscard]] std::span<const Choice<ResiduePolicy>> choices_of(ResiduePolicy kind);
[[nodiscard]] std::span<const Choice<DuplicatePolicy>> choices_of(DuplicatePolicy kind);
[[nodiscard]] std::span<const Choice<FailOn>> choices_of(FailOn kind);
[[nodiscard]] std::span<const Choice<NucleotideRule>> choices_of(NucleotideRule kind);
[[nodiscard]] std::span<const Choice<ScoringMode>> choices_of(ScoringMode kind);
[[nodiscard]] std::span<const Choice<VariantMethod>> choices_of(VariantMethod kind);
[[nodiscard]] std::span<const Choice<SourceFormat>> choices_of(SourceFormat kind);
[[nodiscard]] std::span<const Choice<PairMode>> choices_of(PairMode kind);
[[nodiscard]] std::span<const Choice<StructureFormat>> choices_of(StructureFormat kind);

// What the value must be, for messages and the reference page: "auto or a whole number from 8 to 1048576".
[[nodiscard]] std::string type_text(const Key& key);

}  // namespace pleat
