#include "report/page.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "format/schema.h"
#include "report/blob.h"
#include "report/html.h"
#include "report/overview.h"
#include "report/web_files.h"

namespace pleat {
namespace {

using Json = nlohmann::ordered_json;

// Few different texts, many times: the texts once, and their places.
struct Dictionary {
  std::vector<std::string> texts;
  std::vector<std::int32_t> places;
};

Dictionary dictionary_of(const std::vector<std::string>& column) {
  Dictionary dictionary;
  std::map<std::string, std::int32_t> known;
  for (const std::string& text : column) {
    const auto [found, is_new] = known.try_emplace(text, static_cast<std::int32_t>(dictionary.texts.size()));
    if (is_new) dictionary.texts.push_back(text);
    dictionary.places.push_back(found->second);
  }
  return dictionary;
}

template <typename T>
std::span<const T> all_of(const std::vector<T>& values) {
  return values;
}

void add_dictionary(Blob& blob, const std::string& name, const std::vector<std::string>& column, std::size_t longest) {
  const Dictionary dictionary = dictionary_of(column);
  blob.add(name, all_of(dictionary.places));
  blob.add_texts(name + ".texts", dictionary.texts, longest);
}

Json file_names(const std::vector<ResultReader>& files) {
  Json names = Json::array();
  for (const ResultReader& file : files) names.push_back(file.file().filename().string());
  return names;
}

Json axis_of(double explained) { return std::round(1000 * explained) / 10; }

void add_projection(const EmbeddingProjection& projection, Blob& blob) {
  if (projection.path.empty()) return;
  blob.meta["projection"] = {{"path", projection.path},
                             {"vectors", projection.vectors},
                             {"fitted", projection.fitted},
                             {"percent", {axis_of(projection.explained_x), axis_of(projection.explained_y)}}};
  blob.add("x", all_of(projection.x));
  blob.add("y", all_of(projection.y));
  blob.add("norm", all_of(projection.norm));
}

void add_colors(const Colors& colors, Blob& blob) {
  if (colors.name.empty()) return;
  blob.meta["color"] = colors.name;
  if (colors.are_numbers) {
    blob.add("color", all_of(colors.number));
  } else {
    blob.add("color", all_of(colors.word));
    blob.add_texts("color.texts", colors.words, 200);
  }
}

Blob table_blob(const PageContent& content) {
  const auto& [files, records, projection, colors, details] = content;
  constexpr std::size_t longest_text = 10'000;
  constexpr std::size_t longest_description = 200;
  Blob blob;
  blob.meta["files"] = file_names(files);
  blob.meta["structures"] = have_structures(files);
  for (const schema::StatusWord& status : schema::status_words) blob.meta["status"].push_back(status.word);
  for (const char* const word : schema::memory_rung_words) blob.meta["rung"].push_back(word);
  blob.add_texts("id", records.id, longest_text);
  blob.add_texts("description", records.description, longest_description);
  add_dictionary(blob, "message", records.message, longest_text);
  add_dictionary(blob, "code", records.code, longest_text);
  blob.add("file", all_of(records.file));
  blob.add("status", all_of(records.status));
  blob.add("length", all_of(records.length));
  blob.add("chains", all_of(records.chains));
  blob.add("plddt", all_of(records.mean_plddt));
  blob.add("ptm", all_of(records.ptm));
  blob.add("iptm", all_of(records.iptm));
  blob.add("ipsae", all_of(records.ipsae));
  blob.add("perplexity", all_of(records.pseudo_perplexity));
  blob.add("seconds", all_of(records.seconds));
  blob.add("rung", all_of(records.rung));
  blob.add("attempts", all_of(records.attempts));
  blob.add("first", all_of(records.is_first));
  blob.add("detail", all_of(details.place));
  add_projection(projection, blob);
  add_colors(colors, blob);
  return blob;
}

std::string content_policy() {
  return fmt::format(
      "default-src 'none'; script-src {} {}; style-src {}; img-src data: blob:; base-uri 'none'; form-action 'none'",
      policy_hash(web::script()), policy_hash(web::molecule_viewer()), policy_hash(web::style()));
}

}  // namespace

std::string page_of(const PageContent& content) {
  const std::vector<ResultReader>& files = content.files;
  const std::string first = files.front().file().filename().string();
  const std::string title = files.size() == 1 ? first : fmt::format("{} and {} more", first, files.size() - 1);
  std::string data = table_blob(content).element("data-table");
  for (const std::string& element : content.details.elements) data += element;
  if (content.details.structures > 0) data += data_element("data-viewer", web::molecule_viewer());
  return filled(web::page_template(), {{"policy", content_policy()},
                                       {"title", escaped(title, 200)},
                                       {"style", std::string(web::style())},
                                       {"warnings", warnings_html(files)},
                                       {"overview", overview_html(files, content.records)},
                                       {"table", table_html(files, content.records)},
                                       {"shown", shown_html(content.details, content.records)},
                                       {"run", run_html(files, content.records)},
                                       {"licence", escaped(web::molecule_licence())},
                                       {"data", data},
                                       {"script", std::string(web::script())}});
}

}  // namespace pleat
