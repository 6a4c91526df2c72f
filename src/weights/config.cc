#include "weights/config.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "core/error.h"
#include "weights/config_values.h"
#include "weights/read_fold_config.h"
#include "weights/strict_json.h"

namespace pleat {
namespace {

using nlohmann::json;

constexpr std::uint64_t max_config_bytes = 10'000'000;
constexpr std::int64_t max_vocab_size = 65'536;

// The alphabet of every published ESM-2 model, in id order.
std::vector<std::string> published_vocab() {
  return {"<cls>", "<pad>", "<eos>", "<unk>", "L", "A", "G", "V", "S", "E",        "R",
          "T",     "I",     "D",     "P",     "K", "Q", "N", "F", "Y", "M",        "H",
          "W",     "C",     "X",     "B",     "U", "Z", "O", ".", "-", "<null_1>", "<mask>"};
}

// What tells ESM-2 from its relatives, such as ESM-1 with its learned positions.
void check_kind(const ConfigValues& values, const std::string& origin) {
  const std::string type = values.text("model_type", "");
  if (type != "esm") {
    refuse_config(origin,
                  type.empty() ? std::string("no model_type") : "the model_type is " + in_quotes(type) + ", not 'esm'",
                  "pleat runs ESM-2 models as transformers saves them");
  }
  const std::string positions = values.text("position_embedding_type", "absolute");
  if (positions != "rotary") {
    refuse_config(origin, "position_embedding_type is " + in_quotes(positions) + ", as in ESM-1; ESM-2 has 'rotary'",
                  "use an ESM-2 model; 'pleat model list' shows them");
  }
}

// Settings of transformers that change the arithmetic and that ESM-2 leaves alone.
void check_arithmetic(const ConfigValues& values, const std::string& origin) {
  const std::string activation = values.text("hidden_act", "gelu");
  if (activation != "gelu") refuse_config(origin, "hidden_act is " + in_quotes(activation) + "; ESM-2 has 'gelu'");
  for (const char* const name : {"is_decoder", "add_cross_attention"}) {
    if (values.flag(name, false)) refuse_config(origin, std::string(name) + " is true; ESM-2 is an encoder");
  }
  if (!values.flag("tie_word_embeddings", true)) {
    refuse_config(origin, "tie_word_embeddings is false; ESM-2's output layer shares the input embedding");
  }
  for (const char* const name : {"rope_scaling", "quantization_config"}) {
    if (values.find(name) != nullptr)
      refuse_config(origin, std::string(name) + " is set, which this version does not support");
  }
  double theta = values.number("rope_theta", 10000.0);
  if (const json* const rope = values.find("rope_parameters")) {
    const ConfigValues inner(*rope, origin, "rope_parameters");
    const std::string kind = inner.text("rope_type", "default");
    if (kind != "default")
      refuse_config(origin, "rope_parameters has the rope_type " + in_quotes(kind) + ", not 'default'");
    theta = inner.number("rope_theta", theta);
  }
  if (theta != 10000.0) refuse_config(origin, "rope_theta is not 10000, the value of every ESM-2 model");
}

std::vector<std::string> vocab_from_list(const json& list, const std::string& origin) {
  std::vector<std::string> vocab;
  for (const json& token : list) {
    if (!token.is_string()) refuse_config(origin, "vocab_list holds something that is not a string");
    vocab.push_back(token.get<std::string>());
  }
  return vocab;
}

void check_vocab(const std::vector<std::string>& vocab, std::int64_t vocab_size, const std::string& origin,
                 const std::string& source) {
  if (static_cast<std::int64_t>(vocab.size()) != vocab_size) {
    refuse_config(origin, "vocab_size is " + std::to_string(vocab_size) + ", but " + source + " has " +
                              std::to_string(vocab.size()) + " tokens");
  }
  std::set<std::string> seen;
  for (const std::string& token : vocab) {
    if (!seen.insert(token).second) refuse_config(origin, source + " has the token " + in_quotes(token) + " twice");
  }
  for (const char* const token : {"<cls>", "<pad>", "<eos>", "<mask>"}) {
    if (!seen.contains(token)) refuse_config(origin, source + " has no token '" + std::string(token) + "'");
  }
  for (const char residue : std::string("ACDEFGHIKLMNPQRSTVWYX")) {
    if (!seen.contains(std::string(1, residue))) refuse_config(origin, source + " has no token '" + residue + "'");
  }
}

// The id that config.json gives must be the place of the token; without one, the place is taken.
std::int64_t token_id(const ConfigValues& values, const char* name, const std::vector<std::string>& vocab,
                      const std::string& token, const std::string& origin) {
  const std::int64_t place = std::ranges::find(vocab, token) - vocab.begin();
  const std::int64_t id = values.whole(name, 0, max_vocab_size).value_or(place);
  if (id != place) {
    refuse_config(origin, std::string(name) + " is " + std::to_string(id) + ", but '" + token + "' is token " +
                              std::to_string(place) + " of the vocabulary");
  }
  return id;
}

void read_vocab(Esm2Config& config, const ConfigValues& values, const std::string& origin,
                const std::optional<std::vector<std::string>>& vocab_file) {
  config.vocab_size = values.needed_whole("vocab_size", 1, max_vocab_size);
  const json* const list = values.find("vocab_list");
  if (list != nullptr && !list->is_array()) refuse_config(origin, "vocab_list is not a list");
  std::string source = "vocab.txt";
  if (vocab_file) {
    config.vocab = *vocab_file;
  } else if (list != nullptr) {
    config.vocab = vocab_from_list(*list, origin);
    source = "vocab_list";
  } else {
    config.vocab = published_vocab();
    source = "the published ESM-2 alphabet, used where no vocab.txt is given,";
  }
  check_vocab(config.vocab, config.vocab_size, origin, source);
  config.pad_token_id = token_id(values, "pad_token_id", config.vocab, "<pad>", origin);
  config.mask_token_id = token_id(values, "mask_token_id", config.vocab, "<mask>", origin);
}

void read_sizes(Esm2Config& config, const ConfigValues& values, const std::string& origin) {
  config.hidden_size = values.needed_whole("hidden_size", 2, 65'536);
  config.num_hidden_layers = values.needed_whole("num_hidden_layers", 1, 1'000);
  config.num_attention_heads = values.needed_whole("num_attention_heads", 1, 4'096);
  config.intermediate_size = values.needed_whole("intermediate_size", 1, 1'048'576);
  if (config.hidden_size % config.num_attention_heads != 0) {
    refuse_config(origin, "hidden_size " + std::to_string(config.hidden_size) +
                              " is not a multiple of num_attention_heads " +
                              std::to_string(config.num_attention_heads));
  }
  if (config.head_dim() % 2 != 0) {
    refuse_config(origin, "hidden_size / num_attention_heads is " + std::to_string(config.head_dim()) +
                              ", and rotary positions need an even number");
  }
  config.layer_norm_eps = values.number("layer_norm_eps", 1e-12);
  if (!(config.layer_norm_eps > 0.0 && config.layer_norm_eps <= 0.1)) {
    refuse_config(origin, "layer_norm_eps must be above 0 and at most 0.1");
  }
}

// Reads vocab.txt where it counts: beside a folding model it lists residues in AlphaFold's order.
using VocabFile = std::function<std::optional<std::vector<std::string>>()>;

ModelConfig parse(std::string_view text, const std::string& origin, const VocabFile& vocab_file) {
  const json object = parse_strict_json(text, origin);
  const ConfigValues values(object, origin);
  check_kind(values, origin);
  check_arithmetic(values, origin);
  ModelConfig config;
  config.fold = read_fold_config(values);
  Esm2Config& language_model = config.language_model;
  read_sizes(language_model, values, origin);
  read_vocab(language_model, values, origin, config.fold ? std::nullopt : vocab_file());
  language_model.token_dropout = values.flag("token_dropout", false);
  language_model.emb_layer_norm_before = values.flag("emb_layer_norm_before", false);
  language_model.untrained = values.flag("pleat_untrained", false);
  return config;
}

std::optional<std::vector<std::string>> read_vocab_file(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return std::nullopt;
  std::istringstream lines(read_small_text_file(file, max_config_bytes));
  std::vector<std::string> vocab;
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) vocab.push_back(line);
  }
  return vocab;
}

}  // namespace

const FoldConfig& ModelConfig::folding() const {
  if (!fold) throw Error(ErrorCode::internal, "a folding trunk is asked of a model that has none");
  return *fold;
}

ModelConfig load_model_config(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "config.json";
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    throw Error(ErrorCode::missing_input, "'" + folder.string() + "' has no config.json",
                "a model's folder holds config.json beside the weights");
  }
  return parse(read_small_text_file(file, max_config_bytes), "'" + file.string() + "'",
               [&folder] { return read_vocab_file(folder / "vocab.txt"); });
}

ModelConfig parse_model_config(std::string_view json, const std::string& origin) {
  return parse(json, origin, [] { return std::nullopt; });
}

}  // namespace pleat
