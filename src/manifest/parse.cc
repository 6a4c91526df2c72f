#include "manifest/parse.h"

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/nearest.h"
#include "core/printable.h"

namespace pleat {
namespace {

constexpr const char* minimal_hint =
    "the least a manifest holds is version: 1, model: NAME, inputs: [FILE] and output: FILE";

std::string join(std::string_view section, std::string_view name) {
  return section.empty() ? std::string(name) : std::string(section) + "." + std::string(name);
}

// "did you mean ...?" from the keys of the same section, then from the same name in other sections.
std::string unknown_key_hint(std::string_view section, const std::string& name) {
  std::vector<std::string> siblings;
  std::string list;
  for (const Key* const key : keys_below(section)) {
    siblings.emplace_back(last_part(key->path));
    list += (list.empty() ? "" : ", ") + siblings.back();
  }
  if (const std::string near = nearest(name, siblings); !near.empty()) {
    return "did you mean '" + join(section, near) + "'?";
  }
  for (const Key& key : manifest_keys()) {
    if (last_part(key.path) == name) return "did you mean '" + std::string(key.path) + "'?";
  }
  return (section.empty() ? "the keys are " : "the keys of '" + std::string(section) + "' are ") + list;
}

// The same for a whole path, as an override gives it.
std::string unknown_path_hint(const std::string& path) {
  std::vector<std::string> paths;
  for (const Key& key : manifest_keys()) paths.emplace_back(key.path);
  if (const std::string near = nearest(path, paths); !near.empty()) return "did you mean '" + near + "'?";
  const Key* const section = find_key(parent_of(path));
  return unknown_key_hint(section != nullptr && section->section ? section->path : "", std::string(last_part(path)));
}

Error unknown_key(const std::string& where, const std::string& path, const std::string& hint) {
  return Error(ErrorCode::bad_manifest, where + ": unknown key '" + printable(path) + "'", hint);
}

// Refuses what cannot be stored as text again: the manifest is kept in the result file.
void check_text(const std::string& text, const Origin& origin) {
  YAML::Mark mark;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' && c != '\r') || c == 0x7f) {
      throw Error(ErrorCode::bad_manifest, origin.at(mark) + ": this is not text: there is a control character in it",
                  "check that this is the manifest and not another file");
    }
    mark.column = c == '\n' ? 0 : mark.column + 1;
    mark.line += c == '\n' ? 1 : 0;
  }
  try {
    static_cast<void>(nlohmann::json(text).dump());
  } catch (const nlohmann::json::type_error&) {
    throw Error(ErrorCode::bad_manifest, origin.at({}) + ": this is not UTF-8 text",
                "save the manifest in UTF-8; check that it is not another file");
  }
}

// Keeps only where the last document began.
class DocumentStart : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override { mark_ = mark; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

  [[nodiscard]] const YAML::Mark& mark() const { return mark_; }

 private:
  YAML::Mark mark_;
};

// YAML::Load() looks at the first document only, and YAML::LoadAll() never ends on a text such as ", a".
void check_one_document(const std::string& text, const Origin& origin) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  DocumentStart start;
  if (!parser.HandleNextDocument(start) || !parser.HandleNextDocument(start)) return;
  throw Error(ErrorCode::bad_manifest, origin.at(start.mark()) + ": a second YAML document begins here",
              "a manifest is one document; remove the line '---', or the stray character, before it");
}

// The one document in `text`; a null node when there is none.
YAML::Node load_yaml(const std::string& text, const Origin& origin) {
  check_text(text, origin);
  // Without a comment at the end yaml-cpp takes a quote that is never closed, and a last key without a colon.
  const std::string closed = text + (text.ends_with('\n') ? "#" : "\n#");
  try {
    check_one_document(closed, origin);
    return YAML::Load(closed);
  } catch (const YAML::DeepRecursion& error) {
    throw Error(ErrorCode::bad_manifest, origin.at(error.mark) + ": bad YAML: it is nested too deeply",
                "no key needs more than three levels");
  } catch (const YAML::Exception& error) {
    const bool open_quote = error.msg == YAML::ErrorMsg::EOF_IN_SCALAR;
    const std::string reason = open_quote ? "a quote is never closed" : printable(error.msg);
    throw Error(ErrorCode::bad_manifest, origin.at(error.mark) + ": bad YAML: " + reason,
                "look there, and in the line before, for a missing colon, quote or bracket, or a wrong indentation; "
                "names that begin with @ or * need quotes");
  }
}

// The value of an override. Shells and people leave the quotes away that YAML wants around @FILE, *.fasta and -.
YAML::Node value_in(const Key& key, const std::string& text, const Origin& origin) {
  const bool yaml_would_stumble = text == "-" || text == "~" || text.starts_with('@') || text.starts_with('*');
  if (key.is_path && yaml_would_stumble && text.find('\n') == std::string::npos) return YAML::Node(text);
  // A delimiter or a separator; in YAML most marks begin something.
  Manifest scratch;
  const bool is_text = std::holds_alternative<std::string*>(key.field(scratch));
  if (is_text && text.size() == 1 && std::ispunct(static_cast<unsigned char>(text.front())) != 0) {
    return YAML::Node(text);
  }
  return load_yaml(text, origin);
}

}  // namespace

void ManifestReader::read_file(const std::string& text) {
  file_.text = text;
  const YAML::Node root = load_yaml(text, file_);
  if (root.IsNull()) throw Error(ErrorCode::bad_manifest, file_.at({}) + ": the manifest is empty", minimal_hint);
  if (!root.IsMap()) {
    throw Error(ErrorCode::bad_manifest,
                file_.at(root.Mark()) + ": the manifest is " + (root.IsSequence() ? "a list" : "a single value") +
                    ", but must be a map of keys",
                minimal_hint);
  }
  // A manifest of another version may hold keys unknown here, so its version is looked at first.
  for (const auto& entry : root) {
    const YAML::Node& name = entry.first;
    if (name.IsScalar() && name.Scalar() == "version")
      read_key(*find_key("version"), {entry.second, file_, name.Mark()});
  }
  read_map("", {root, file_, root.Mark()});
}

void ManifestReader::read_override(const std::string& assignment) {
  const Origin origin{"--set " + printable(assignment), false};
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw Error(ErrorCode::usage, "'" + origin.name + "' has no key and value",
                "write --set key=value, such as --set run.devices=cpu");
  }
  const std::string path = assignment.substr(0, equals);
  const Key* const key = find_key(path);
  if (key == nullptr) throw unknown_key(origin.name, path, unknown_path_hint(path));
  const YAML::Node value = value_in(*key, assignment.substr(equals + 1), origin);
  read_key(*key, {value, origin, {}});
  for (std::string_view section = parent_of(path); !section.empty(); section = parent_of(section)) {
    set_at_[std::string(section)] = origin.name;
    // Asking for a detail of a task asks for the task.
    const Field field = find_key(section)->field(manifest_);
    if (bool* const* const enabled = std::get_if<bool*>(&field)) **enabled = true;
  }
}

void ManifestReader::read_key(const Key& key, const Place& place) {
  if (key.section && place.node.IsMap()) {
    forget(key.path);
    const Field field = key.field(manifest_);
    if (bool* const* const enabled = std::get_if<bool*>(&field)) **enabled = true;
    read_map(key.path, place);
  } else {
    read_value(key, place, manifest_);
  }
  set_at_[std::string(key.path)] = place.text();
}

void ManifestReader::read_map(std::string_view section, const Place& place) {
  std::map<std::string, int> lines;  // each key of this map -> its line, from 0
  for (const auto& entry : place.node) {
    const YAML::Node& name = entry.first;
    const std::string where = place.origin.at(name.Mark());
    if (!name.IsScalar()) {
      throw Error(ErrorCode::bad_manifest, where + ": a key must be a word", unknown_key_hint(section, ""));
    }
    const Key* const key = find_key(join(section, name.Scalar()));
    // A key with a dot in it could be mistaken for a path.
    if (key == nullptr || name.Scalar() != last_part(key->path)) {
      throw unknown_key(where, join(section, name.Scalar()), unknown_key_hint(section, name.Scalar()));
    }
    const auto [first, is_new] = lines.emplace(name.Scalar(), name.Mark().line);
    if (!is_new) {
      std::string what = where + ": the key '" + std::string(key->path) + "' is given twice";
      if (place.origin.is_file) what += ", first in line " + std::to_string(first->second + 1);
      throw Error(ErrorCode::bad_manifest, what, "keep one of the two");
    }
    read_key(*key, {entry.second, place.origin, name.Mark()});
  }
}

// Puts everything below a section back to its default.
void ManifestReader::forget(std::string_view section) {
  const std::string prefix = std::string(section) + ".";
  Manifest defaults;
  for (const Key& key : manifest_keys()) {
    if (!key.path.starts_with(prefix)) continue;
    const auto copy_default = [from = key.field(defaults)](auto to) {
      if constexpr (!std::is_same_v<decltype(to), std::monostate>) *to = *std::get<decltype(to)>(from);
    };
    std::visit(copy_default, key.field(manifest_));
  }
  std::erase_if(set_at_, [&prefix](const auto& entry) { return entry.first.starts_with(prefix); });
}

std::string ManifestReader::where(const std::string& path) const {
  const auto found = set_at_.find(path);
  return found == set_at_.end() ? file_.at({}) : found->second;
}

void ManifestReader::check_pairs() const {
  const PairsTask& pairs = manifest_.pairs;
  if (!pairs.enabled) return;
  const auto refuse = [&](const std::string& path, const std::string& what, const std::string& hint) {
    throw Error(ErrorCode::bad_manifest, where(path) + ": '" + path + "' " + what, hint);
  };
  if (manifest_.tasks.scoring.has_table()) {
    refuse("tasks.scoring.variants", "is a table of variants of records, and 'pairs' makes complexes of them",
           "score the records in a run of their own");
  }
  if (pairs.columns.size() != 2) {
    refuse("pairs.columns", "must be a list of two names", "write it like columns: [bait, prey]");
  }
  if (pairs.columns.front() == pairs.columns.back()) {
    refuse("pairs.columns", "names the same column twice", "write it like columns: [bait, prey]");
  }
  if (!pairs.file.empty()) {
    for (const char* const path : {"pairs.mode", "pairs.baits", "pairs.self"}) {
      if (!set_at_.contains(path)) continue;
      refuse(path, "is given beside 'pairs.file', whose rows are the pairs", "remove one of the two");
    }
  } else if (pairs.mode == PairMode::bait_vs_all && pairs.baits.empty()) {
    refuse("pairs.mode", "is bait_vs_all, and no baits are named", "add pairs.baits: [ID, ...], or \"@FILE\"");
  } else if (pairs.mode == PairMode::all_vs_all && !pairs.baits.empty()) {
    refuse("pairs.baits", "is given, and pairs.mode is all_vs_all", "set pairs.mode to bait_vs_all");
  }
}

Manifest ManifestReader::finish() {
  for (const Key& key : manifest_keys()) {
    if (!key.required || set_at_.contains(key.path)) continue;
    throw Error(ErrorCode::bad_manifest, file_.at({}) + ": the key '" + std::string(key.path) + "' is missing",
                "add it, for example " + std::string(key.path) + ": " + std::string(key.example));
  }
  check_pairs();
  Tasks& tasks = manifest_.tasks;
  const bool others =
      tasks.logits || tasks.contacts || tasks.attentions.enabled || tasks.scoring.enabled || tasks.structure.enabled;
  if (others && !set_at_.contains("tasks.embeddings")) tasks.embeddings.enabled = false;
  if (!others && !tasks.embeddings.enabled) {
    throw Error(ErrorCode::bad_manifest, where("tasks") + ": there is nothing to compute: every task is off",
                "set one of tasks.embeddings, tasks.logits, tasks.contacts, tasks.attentions, tasks.scoring and "
                "tasks.structure to true");
  }
  const EmbeddingsTask& embeddings = tasks.embeddings;
  if (embeddings.enabled && !embeddings.per_residue && !embeddings.mean && !embeddings.bos) {
    throw Error(
        ErrorCode::bad_manifest,
        where("tasks.embeddings") + ": 'tasks.embeddings' keeps nothing: per_residue, mean and bos are all false",
        "set one of the three to true, or tasks.embeddings to false");
  }
  return manifest_;
}

}  // namespace pleat
