#include "weights/known_answers.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/embedded_file.h"
#include "core/error.h"
#include "weights/registry.h"
#include "weights/strict_json.h"

PLEAT_EMBEDDED_FILE(pleat_known_answers, PLEAT_KNOWN_ANSWERS)

namespace pleat {
namespace {

using Json = nlohmann::json;

constexpr std::string_view file_name = "known_answers.json";
constexpr std::uint64_t largest_file = 1 << 20;

struct QuantityName {
  AnswerQuantity quantity;
  std::string_view word;
  std::string_view text;
};
constexpr std::array<QuantityName, 3> quantities{{
    {AnswerQuantity::last_layer, "last_layer", "last layer"},
    {AnswerQuantity::first_block_nitrogen, "first_block_nitrogen", "first N after the first block"},
    {AnswerQuantity::mean_plddt, "mean_plddt", "mean pLDDT"},
}};

AnswerQuantity quantity_named(const std::string& word) {
  for (const QuantityName& known : quantities) {
    if (known.word == word) return known.quantity;
  }
  throw Error(ErrorCode::bad_input, "there is no quantity " + in_quotes(word));
}

void check(const KnownAnswer& answer) {
  const auto refuse = [](const std::string& what) { throw Error(ErrorCode::bad_input, what); };
  if (answer.sequence.empty() || answer.sequence.find_first_not_of("ACDEFGHIKLMNPQRSTVWYX") != std::string::npos) {
    refuse("'sequence' is to be one chain of amino acids");
  }
  const bool folds = answer.quantity != AnswerQuantity::last_layer;
  if (folds && answer.passes < 1) refuse("'passes' is to be 1 or more");
  if (answer.values.empty()) refuse("'values' is empty");
  for (const std::vector<double>& row : answer.values) {
    if (row.empty() || row.size() != answer.values.front().size()) refuse("the rows of 'values' differ in length");
  }
  const std::size_t columns = answer.quantity == AnswerQuantity::mean_plddt ? 1 : 3;
  if (folds && (answer.values.size() != 1 || answer.values.front().size() != columns)) {
    refuse("'values' has not the shape of its quantity");
  }
  if (answer.values.size() > answer.sequence.size() + 2) refuse("'values' has more rows than there are tokens");
}

KnownAnswer parse(const Json& json) {
  KnownAnswer answer;
  answer.model = json.value("model", "");
  answer.quantity = quantity_named(json.at("quantity").get<std::string>());
  answer.sequence = json.at("sequence").get<std::string>();
  answer.passes = json.value("passes", std::int64_t{0});
  answer.values = json.at("values").get<std::vector<std::vector<double>>>();
  answer.bounds = json.at("bounds").get<std::map<std::string, double>>();
  answer.source = json.at("source").get<std::string>();
  check(answer);
  return answer;
}

// The published model that a folder is called after: .../NAME, or .../models--facebook--NAME/snapshots/COMMIT. What
// lies deeper in a folder of that name may be another model, such as a fine-tuned one.
std::string published_name(const std::filesystem::path& folder) {
  constexpr std::string_view cached = "models--facebook--";
  std::string last;
  for (const std::filesystem::path& part : folder) {
    const std::string name = part.string();
    if (!name.empty()) last = name;
    const ModelEntry* const entry = name.starts_with(cached) ? find_model(name.substr(cached.size())) : nullptr;
    if (entry != nullptr) return std::string(entry->name);
  }
  const ModelEntry* const entry = find_model(last);
  return entry != nullptr ? std::string(entry->name) : std::string();
}

}  // namespace

std::string describe(const KnownAnswer& answer) {
  constexpr std::size_t shown = 20;
  std::string text;
  for (const QuantityName& known : quantities) {
    if (known.quantity == answer.quantity) text = known.text;
  }
  text += " of " + answer.sequence.substr(0, shown);
  if (answer.sequence.size() > shown) text += "... (" + std::to_string(answer.sequence.size()) + " residues)";
  return text;
}

std::vector<KnownAnswer> parse_known_answers(std::string_view text, const std::string& origin) {
  const Json document = parse_strict_json(text, origin);
  std::vector<KnownAnswer> answers;
  try {
    for (const Json& entry : document.at("answers")) answers.push_back(parse(entry));
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::bad_input, origin + ": answer " + std::to_string(answers.size() + 1) + ": " + error.what());
  } catch (const Error& error) {
    throw Error(ErrorCode::bad_input, origin + ": answer " + std::to_string(answers.size() + 1) + ": " + error.what());
  }
  return answers;
}

const std::vector<KnownAnswer>& published_answers() {
  static const std::vector<KnownAnswer> answers =
      parse_known_answers(PLEAT_EMBEDDED_TEXT(pleat_known_answers), "the program's known_answers.json");
  return answers;
}

std::vector<KnownAnswer> known_answers(const std::string& name, const std::filesystem::path& folder) {
  const std::filesystem::path own = folder / file_name;
  if (std::filesystem::exists(own)) return parse_known_answers(read_small_text_file(own, largest_file), own.string());
  const ModelEntry* const entry = find_model(name);
  const std::string model = entry != nullptr ? std::string(entry->name) : published_name(folder);
  std::vector<KnownAnswer> answers;
  for (const KnownAnswer& answer : published_answers()) {
    if (!model.empty() && answer.model == model) answers.push_back(answer);
  }
  return answers;
}

}  // namespace pleat
