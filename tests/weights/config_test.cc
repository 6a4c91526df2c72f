#include "weights/config.h"

#include "model_files.h"

namespace pleat {
namespace {

using nlohmann::json;

Esm2Config parse(const json& object) { return parse_model_config(object.dump(), "config.json").language_model; }

TEST(Config, ReadsTheHubsConfig) {
  const Esm2Config config = parse(esm2_config());
  EXPECT_EQ(config.vocab_size, 33);
  EXPECT_EQ(config.hidden_size, 320);
  EXPECT_EQ(config.num_hidden_layers, 6);
  EXPECT_EQ(config.num_attention_heads, 20);
  EXPECT_EQ(config.head_dim(), 16);
  EXPECT_EQ(config.intermediate_size, 1280);
  EXPECT_EQ(config.pad_token_id, 1);
  EXPECT_EQ(config.mask_token_id, 32);
  EXPECT_DOUBLE_EQ(config.layer_norm_eps, 1e-5);
  EXPECT_TRUE(config.token_dropout);
  EXPECT_FALSE(config.emb_layer_norm_before);
  EXPECT_FALSE(config.untrained);
  ASSERT_EQ(config.vocab.size(), 33U);
  EXPECT_EQ(config.vocab[0], "<cls>");
  EXPECT_EQ(config.vocab[4], "L");
  EXPECT_EQ(config.vocab[23], "C");
  EXPECT_EQ(config.vocab[24], "X");
  EXPECT_EQ(config.vocab[28], "O");
  EXPECT_EQ(config.vocab[32], "<mask>");
}

TEST(Config, ReadsWhatTransformers5Writes) {
  json object = esm2_config();
  for (const char* const gone : {"hidden_act", "torch_dtype", "classifier_dropout"}) object.erase(gone);
  object.update(json::parse(R"({"dtype": "float32", "rope_theta": 10000.0, "is_decoder": false, "bos_token_id": null,
                                "add_cross_attention": false, "tie_word_embeddings": true, "eos_token_id": 2,
                                "problem_type": null, "emb_layer_norm_before": null, "layer_norm_eps": 1e-12})"));
  const Esm2Config config = parse(object);
  EXPECT_EQ(config.hidden_size, 320);
  EXPECT_FALSE(config.emb_layer_norm_before);
  EXPECT_DOUBLE_EQ(config.layer_norm_eps, 1e-12);
  object["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 10000.0}};
  EXPECT_NO_THROW(static_cast<void>(parse(object)));
}

TEST(Config, KnowsUntrainedWeights) {
  json object = esm2_config();
  object["pleat_untrained"] = true;
  EXPECT_TRUE(parse(object).untrained);
}

TEST(Config, TokenIdsComeFromTheVocabularyWhereNotGiven) {
  json object = esm2_config();
  object["pad_token_id"] = nullptr;
  object.erase("mask_token_id");
  EXPECT_EQ(parse(object).pad_token_id, 1);
  EXPECT_EQ(parse(object).mask_token_id, 32);
}

struct Wrong {
  const char* name;
  const char* key;
  json value;  // discarded: the key is left out
  const char* text;
};

void PrintTo(const Wrong& wrong, std::ostream* out) { *out << wrong.name; }

class WrongConfig : public testing::TestWithParam<Wrong> {};

TEST_P(WrongConfig, IsRefusedByName) {
  json object = esm2_config();
  if (GetParam().value.is_discarded()) {
    object.erase(GetParam().key);
  } else {
    object[GetParam().key] = GetParam().value;
  }
  const std::string message = expect_error(ErrorCode::bad_input, GetParam().text, [&] { return parse(object); });
  EXPECT_THAT(message, testing::StartsWith("config.json: "));
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongConfig,
    testing::Values(Wrong{"no_type", "model_type", json(json::value_t::discarded), "no model_type"},
                    Wrong{"other_type", "model_type", "bert", "the model_type is 'bert', not 'esm'"},
                    Wrong{"esm1", "position_embedding_type", "absolute", "as in ESM-1"},
                    Wrong{"no_positions", "position_embedding_type", json(json::value_t::discarded), "as in ESM-1"},
                    Wrong{"activation", "hidden_act", "relu", "hidden_act is 'relu'"},
                    Wrong{"decoder", "is_decoder", true, "is_decoder is true"},
                    Wrong{"untied", "tie_word_embeddings", false, "tie_word_embeddings is false"},
                    Wrong{"theta", "rope_theta", 500000.0, "rope_theta is not 10000"},
                    Wrong{"rope_parameters", "rope_parameters", json{{"rope_theta", 1.0}}, "rope_theta is not 10000"},
                    Wrong{"rope_type", "rope_parameters", json{{"rope_type", "yarn"}}, "rope_type 'yarn'"},
                    Wrong{"rope_scaling", "rope_scaling", json{{"type", "linear"}}, "rope_scaling is set"},
                    Wrong{"quantized", "quantization_config", json::object(), "quantization_config is set"},
                    Wrong{"no_width", "hidden_size", json(json::value_t::discarded), "no hidden_size"},
                    Wrong{"text_width", "hidden_size", "320", "hidden_size is '\"320\"', not a whole number"},
                    Wrong{"fractional_width", "hidden_size", 320.5, "not a whole number"},
                    Wrong{"negative_width", "hidden_size", -320, "not a whole number"},
                    Wrong{"huge_width", "hidden_size", 4'000'000'000, "from 2 to 65536"},
                    Wrong{"no_layers", "num_hidden_layers", 0, "num_hidden_layers is '0'"},
                    Wrong{"no_heads", "num_attention_heads", 0, "num_attention_heads is '0'"},
                    Wrong{"heads_do_not_divide", "num_attention_heads", 19,
                          "320 is not a multiple of num_attention_heads 19"},
                    Wrong{"odd_head", "num_attention_heads", 64, "is 5, and rotary positions need an even number"},
                    Wrong{"inner_width", "intermediate_size", nullptr, "no intermediate_size"},
                    Wrong{"eps", "layer_norm_eps", 0.0, "layer_norm_eps must be above 0"},
                    Wrong{"negative_eps", "layer_norm_eps", -1e-5, "layer_norm_eps must be above 0"},
                    Wrong{"text_eps", "layer_norm_eps", "small", "layer_norm_eps is '\"small\"', not a number"},
                    Wrong{"vocab_size", "vocab_size", 34, "vocab_size is 34, but the published ESM-2 alphabet"},
                    Wrong{"pad", "pad_token_id", 0, "pad_token_id is 0, but '<pad>' is token 1"},
                    Wrong{"mask", "mask_token_id", 31, "mask_token_id is 31, but '<mask>' is token 32"},
                    Wrong{"mask_outside", "mask_token_id", 70'000, "mask_token_id is '70000'"},
                    Wrong{"flag", "token_dropout", 1, "token_dropout is '1', not true or false"},
                    Wrong{"vocab_list", "vocab_list", "all", "vocab_list is not a list"},
                    Wrong{"vocab_numbers", "vocab_list", json{1, 2}, "vocab_list holds something that is not a string"},
                    Wrong{"short_vocab_list", "vocab_list", json{"<cls>"}, "but vocab_list has 1 tokens"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Config, BrokenJsonIsRefused) {
  const auto broken = [](const std::string& text) {
    return [text] { return parse_model_config(text, "config.json"); };
  };
  expect_error(ErrorCode::bad_input, "not valid JSON", broken(""));
  expect_error(ErrorCode::bad_input, "not valid JSON", broken("{\"model_type\": \"esm\""));
  expect_error(ErrorCode::bad_input, "not valid JSON", broken(std::string("{\"\xc3\x28\": 1}")));
  expect_error(ErrorCode::bad_input, "not an object", broken("[1]"));
  expect_error(ErrorCode::bad_input, "levels deep", broken(std::string(1'000'000, '[')));
  expect_error(ErrorCode::bad_input, "'hidden_size' is given twice", broken(R"({"hidden_size":1,"hidden_size":2})"));
}

TEST(Config, VocabFileWins) {
  const ScratchFolder folder;
  write_file(folder.path() / "config.json", esm2_config().dump());
  std::string vocab = vocab_text();
  vocab.replace(vocab.find("<null_1>"), 8, "J");
  write_file(folder.path() / "vocab.txt", vocab);
  EXPECT_EQ(load_model_config(folder.path()).language_model.vocab[31], "J");
}

TEST(Config, VocabFileMayHaveWindowsLineEnds) {
  const ScratchFolder folder;
  write_file(folder.path() / "config.json", esm2_config().dump());
  std::string vocab;
  for (const char letter : vocab_text()) vocab += letter == '\n' ? std::string("\r\n") : std::string(1, letter);
  write_file(folder.path() / "vocab.txt", vocab + "\r\n");
  EXPECT_EQ(load_model_config(folder.path()).language_model.vocab[32], "<mask>");
}

TEST(Config, VocabFileThatDisagreesIsRefused) {
  const ScratchFolder folder;
  write_file(folder.path() / "config.json", esm2_config().dump());
  const auto load = [&] { static_cast<void>(load_model_config(folder.path())); };
  write_file(folder.path() / "vocab.txt", vocab_text() + "\nJ\n");
  expect_error(ErrorCode::bad_input, "vocab_size is 33, but vocab.txt has 34 tokens", load);
  std::string vocab = vocab_text();
  vocab.replace(vocab.find("\nB\n"), 3, "\nX\n");
  write_file(folder.path() / "vocab.txt", vocab);
  expect_error(ErrorCode::bad_input, "vocab.txt has the token 'X' twice", load);
  vocab = vocab_text();
  vocab.replace(vocab.find("\nW\n"), 3, "\nw\n");
  write_file(folder.path() / "vocab.txt", vocab);
  expect_error(ErrorCode::bad_input, "vocab.txt has no token 'W'", load);
}

TEST(Config, FilesAreNamedInErrors) {
  const ScratchFolder folder;
  const auto load = [&] { static_cast<void>(load_model_config(folder.path())); };
  expect_error(ErrorCode::missing_input, "has no config.json", load);
  const std::filesystem::path file = folder.write("config.json", "{");
  expect_error(ErrorCode::bad_input, "'" + file.string() + "': not valid JSON", load);
  write_file(folder.path() / "config.json", std::string(10'000'001, ' '));
  expect_error(ErrorCode::bad_input, "far more than such a file needs", load);
}

}  // namespace
}  // namespace pleat
