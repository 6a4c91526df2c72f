#include "manifest/values.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

#include "core/nearest.h"
#include "core/printable.h"
#include "manifest/expand.h"

namespace pleat {
namespace {

constexpr std::string_view reference_hint = "`pleat schema manifest --markdown` describes every key";

// What stands there, for "... is <found>".
std::string found(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Sequence: return node.size() == 0 ? "an empty list" : "a list";
    case YAML::NodeType::Map: return "a map";
    case YAML::NodeType::Scalar: break;
    default: return "empty";
  }
  if (node.Scalar().empty()) return "empty";
  if (node.Tag() == "!") return "the quoted text '" + printable(node.Scalar()) + "'";
  return "'" + printable(node.Scalar()) + "'";
}

Error wrong(const Key& key, const std::string& where, const std::string& is_what, std::string hint = {}) {
  if (hint.empty()) hint = std::string(key.hint.empty() ? reference_hint : key.hint);
  return Error(ErrorCode::bad_manifest,
               where + ": '" + std::string(key.path) + "' " + is_what + ", but must be " + type_text(key), hint);
}

// A scalar written without quotes and without a tag; only such text can be a number or true and false.
bool is_plain(const YAML::Node& node) { return node.IsScalar() && node.Tag() == "?"; }

std::optional<std::int64_t> integer_in(const YAML::Node& node, const Key& key) {
  if (!is_plain(node)) return std::nullopt;
  const std::string& text = node.Scalar();
  const std::size_t sign = text[0] == '-' || text[0] == '+' ? 1 : 0;
  // YAML 1.1 reads 010 as 8 and YAML 1.2 as 10.
  const bool leading_zero = text.size() > sign + 1 && text[sign] == '0';
  if (leading_zero || text.size() == sign || text[sign] < '0' || text[sign] > '9') return std::nullopt;
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data() + (text[0] == '+' ? 1 : 0), end, value);
  if (result.ec != std::errc{} || result.ptr != end || value < key.lowest || value > key.highest) return std::nullopt;
  return value;
}

std::optional<double> number_in(const YAML::Node& node, const Key& key) {
  if (!is_plain(node)) return std::nullopt;
  const std::string& text = node.Scalar();
  // Infinity and what is not a number have names; a number has digits.
  if (text.find_first_not_of("0123456789+-.eE") != std::string::npos) return std::nullopt;
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data() + (text.starts_with('+') ? 1 : 0), end, value);
  if (result.ec != std::errc{} || result.ptr != end) return std::nullopt;
  if (value < static_cast<double>(key.lowest) || value > static_cast<double>(key.highest)) return std::nullopt;
  return value;
}

class ValueReader {
 public:
  ValueReader(const Key& key, const Place& place) : key_(key), place_(place) {}

  [[noreturn]] void operator()(std::monostate) const { throw wrong_value(key_, place_); }

  void operator()(bool* out) const {
    const std::string& text = is_plain(place_.node) ? place_.node.Scalar() : std::string();
    const bool yes = text == "true" || text == "True" || text == "TRUE";
    const bool no = text == "false" || text == "False" || text == "FALSE";
    if (!yes && !no) throw wrong_value(key_, place_);
    *out = yes;
  }

  void operator()(std::int64_t* out) const {
    const auto value = integer_in(place_.node, key_);
    if (!value) throw wrong_value(key_, place_);
    *out = *value;
  }

  void operator()(double* out) const {
    const auto value = number_in(place_.node, key_);
    if (!value) throw wrong_value(key_, place_);
    *out = *value;
  }

  void operator()(std::optional<std::int64_t>* out) const {
    if (place_.node.IsScalar() && place_.node.Scalar() == "auto") {
      out->reset();
      return;
    }
    *out = integer_in(place_.node, key_);
    if (!*out) throw wrong_value(key_, place_);
  }

  void operator()(std::string* out) const {
    *out = key_.is_path ? path_of(place_.node, "is ") : text_of(place_.node, "is ");
  }

  void operator()(std::vector<std::int64_t>* out) const {
    read_list(out, [this](const YAML::Node& node, const std::string& verb) {
      const auto value = integer_in(node, key_);
      if (!value) throw wrong(key_, where(node), verb + found(node));
      return *value;
    });
  }

  void operator()(std::vector<std::string>* out) const {
    read_list(out, [this](const YAML::Node& node, const std::string& verb) {
      const std::string text = text_of(node, verb);
      return key_.is_path && text.starts_with('@') ? input_of(node, verb) : text;
    });
  }

  void operator()(std::vector<InputSpec>* out) const {
    read_list(out, [this](const YAML::Node& node, const std::string& verb) {
      return node.IsMap() ? input_in(node) : InputSpec{input_of(node, verb)};
    });
  }

  // No format at all is what an empty list asks for; one that is named twice is written once.
  void operator()(std::vector<StructureFormat>* out) const {
    std::vector<StructureFormat> formats;
    const auto read_one = [this](const YAML::Node& node, const std::string& verb) {
      return choice_in<StructureFormat>(node, verb);
    };
    if (!place_.node.IsSequence() || place_.node.size() > 0) read_list(&formats, read_one);
    out->clear();
    for (const StructureFormat format : formats) {
      if (std::ranges::find(*out, format) == out->end()) out->push_back(format);
    }
  }

  template <typename Enum>
  void operator()(Enum* out) const {
    *out = choice_in<Enum>(place_.node, "is ");
  }

 private:
  // A word of a fixed choice.
  template <typename Enum>
  [[nodiscard]] Enum choice_in(const YAML::Node& node, const std::string& verb) const {
    if (!node.IsScalar()) throw wrong(key_, where(node), verb + found(node));
    std::vector<std::string> words;
    for (const auto& choice : choices_of(Enum{})) {
      if (choice.word == node.Scalar()) return choice.value;
      words.emplace_back(choice.word);
    }
    const std::string near = nearest(node.Scalar(), words);
    throw wrong(key_, where(node), verb + found(node), near.empty() ? "" : "did you mean '" + near + "'?");
  }

  [[nodiscard]] std::string where(const YAML::Node& node) const {
    return Place{node, place_.origin, place_.fallback}.text();
  }

  // Names and paths: a number is taken as it is written, but nothing at all is no text.
  [[nodiscard]] std::string text_of(const YAML::Node& node, const std::string& verb) const {
    if (!node.IsScalar() || node.Scalar().empty()) throw wrong(key_, where(node), verb + found(node));
    if (std::ranges::any_of(node.Scalar(), is_control)) {
      throw Error(ErrorCode::bad_manifest,
                  where(node) + ": '" + std::string(key_.path) + "' " + verb + found(node) +
                      ", which has control characters in it",
                  "write the name without escapes such as \\n");
    }
    return node.Scalar();
  }

  [[nodiscard]] Error wrong_input(const YAML::Node& node, const std::string& what, const std::string& hint) const {
    return Error(ErrorCode::bad_manifest, where(node) + ": '" + std::string(key_.path) + "' " + what, hint);
  }

  // YAML takes " #" and all behind it for a comment, which cuts a name such as "out #1.h5" without a word.
  void check_comment(const YAML::Node& node) const {
    const std::string& text = place_.origin.text;
    const auto begin = static_cast<std::size_t>(std::max(node.Mark().pos, 0));
    if (!is_plain(node) || begin > text.size() || text.compare(begin, node.Scalar().size(), node.Scalar()) != 0) return;
    const std::string_view line = std::string_view(text).substr(begin + node.Scalar().size());
    const std::string_view rest = line.substr(0, line.find_first_of("\r\n"));
    const std::size_t sharp = rest.find_first_not_of(" \t");
    if (sharp == 0 || sharp >= rest.size() || rest[sharp] != '#') return;
    if (sharp + 1 == rest.size() || rest[sharp + 1] == ' ' || rest[sharp + 1] == '\t' || rest[sharp + 1] == '#') return;
    throw wrong_input(node,
                      "is '" + printable(node.Scalar()) + "', since YAML takes '" + printable(rest.substr(sharp)) +
                          "' behind it for a comment",
                      "put a name with a # in quotes; or write a blank behind the # of a comment");
  }

  // A word in place of a path.
  [[nodiscard]] bool stands_for_itself(const std::string& text) const {
    return key_.path == "tasks.scoring.variants" &&
           (text == ScoringTask::no_variants || text == ScoringTask::all_single);
  }

  // `~` and ${VAR} expanded; absolute where an option gives it. Not so a model, which may be a name, and whose text is
  // kept in the result file: the parts of an array must agree in it, wherever they were computed.
  [[nodiscard]] std::string path_of(const YAML::Node& node, const std::string& verb) const {
    std::string path = text_of(node, verb);
    check_comment(node);
    if (stands_for_itself(path)) return path;
    try {
      path = expanded(path);
    } catch (const Error& error) {
      throw wrong_input(node, std::string("cannot be read: ") + error.what(), error.hint());
    }
    return place_.origin.is_file || key_.path == "model" ? path : std::filesystem::absolute(path).string();
  }

  // A path, "-" or "@" before a path.
  [[nodiscard]] std::string input_of(const YAML::Node& node, const std::string& verb) const {
    std::string text = text_of(node, verb);
    if (text == "-") return text;
    if (!text.starts_with('@')) return path_of(node, verb);
    if (text.size() == 1)
      throw wrong_input(node, "holds '@' without a name", "write @FILE, a file with a name in each line");
    YAML::Node rest(text.substr(1));
    const ValueReader reader(key_, {rest, place_.origin, node.Mark()});
    return "@" + reader.path_of(rest, verb);
  }

  // {file: F, format: csv, columns: {id: A, sequence: B, description: C}, delimiter: ";"}.
  [[nodiscard]] InputSpec input_in(const YAML::Node& node) const {
    InputSpec input;
    for (const auto& entry : node) {
      const std::string name = entry.first.IsScalar() ? entry.first.Scalar() : "?";
      if (name == "file") {
        input.file = input_of(entry.second, "holds ");
      } else if (name == "format") {
        input.format = choice_in<SourceFormat>(entry.second, "has a format that is ");
      } else if (name == "columns") {
        read_columns(entry.second, input);
      } else if (name == "delimiter") {
        input.delimiter = delimiter_in(entry.second);
      } else {
        throw wrong_input(entry.first, "holds a map with the unknown key '" + printable(name) + "'",
                          "the keys are file, format, columns and delimiter");
      }
    }
    if (!input.file.empty()) return input;
    throw wrong_input(node, "holds a map without the key 'file'",
                      "write it like {file: F, columns: {id: A, sequence: B}}");
  }

  void read_columns(const YAML::Node& node, InputSpec& input) const {
    constexpr const char* hint = "write it like columns: {id: Entry, sequence: Sequence, description: Name}";
    if (!node.IsMap()) throw wrong_input(node, "has columns that are " + found(node) + ", but must be a map", hint);
    for (const auto& entry : node) {
      const std::string name = entry.first.IsScalar() ? entry.first.Scalar() : "?";
      std::string* const column = name == "id"            ? &input.id_column
                                  : name == "sequence"    ? &input.sequence_column
                                  : name == "description" ? &input.description_column
                                                          : nullptr;
      if (column == nullptr) throw wrong_input(entry.first, "names the unknown column '" + printable(name) + "'", hint);
      *column = text_of(entry.second, "has a column that is ");
    }
  }

  [[nodiscard]] char delimiter_in(const YAML::Node& node) const {
    const std::string text = node.IsScalar() ? node.Scalar() : std::string();
    if (text == "tab" || text == "\\t") return '\t';
    if (text.size() == 1 && std::string_view(",;\t| ").find(text[0]) != std::string_view::npos) return text[0];
    throw wrong_input(node, "has a delimiter that is " + found(node), "it is one of \",\", \";\", \"|\" and tab");
  }

  // One value stands for a list of one.
  template <typename T, typename ReadOne>
  void read_list(std::vector<T>* out, ReadOne read_one) const {
    if (!place_.node.IsSequence()) {
      *out = {read_one(place_.node, "is ")};
      return;
    }
    if (place_.node.size() == 0) throw wrong_value(key_, place_);
    out->clear();
    for (const YAML::Node& item : place_.node) out->push_back(read_one(item, "holds "));
  }

  const Key& key_;
  const Place place_;
};

}  // namespace

std::string Origin::at(const YAML::Mark& mark) const {
  if (!is_file) return name;
  const YAML::Mark known = mark.is_null() ? YAML::Mark() : mark;
  return name + ":" + std::to_string(known.line + 1) + ":" + std::to_string(known.column + 1);
}

Error wrong_value(const Key& key, const Place& place) { return wrong(key, place.text(), "is " + found(place.node)); }

void read_value(const Key& key, const Place& place, Manifest& manifest) {
  std::visit(ValueReader(key, place), key.field(manifest));
}

}  // namespace pleat
