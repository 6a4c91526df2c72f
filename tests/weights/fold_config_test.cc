// "esmfold_config" of config.json.
#include "model_files.h"
#include "weights/config.h"

namespace pleat {
namespace {

using nlohmann::json;

// config.json of facebook/esmfold_v1, as the hub has it: every key of the folding trunk.
json esmfold_config() {
  json config = esm2_config();
  config.update(json::parse(R"({
    "architectures": ["EsmForProteinFolding"], "hidden_size": 2560, "intermediate_size": 10240,
    "num_attention_heads": 40, "num_hidden_layers": 36, "is_folding_model": true,
    "esmfold_config": {
      "bypass_lm": false, "embed_aa": true, "esm_ablate_pairwise": false, "esm_ablate_sequence": false,
      "esm_input_dropout": 0, "esm_type": "esm2_3B", "fp16_esm": true, "lddt_head_hid_dim": 128,
      "use_esm_attn_map": false,
      "trunk": {
        "chunk_size": null, "cpu_grad_checkpoint": false, "dropout": 0, "layer_drop": 0, "max_recycles": 4,
        "num_blocks": 48, "pairwise_head_width": 32, "pairwise_state_dim": 128, "position_bins": 32,
        "sequence_head_width": 32, "sequence_state_dim": 1024,
        "structure_module": {
          "dropout_rate": 0.1, "epsilon": 1e-08, "inf": 100000.0, "ipa_dim": 16, "num_angles": 7, "num_blocks": 8,
          "num_heads_ipa": 12, "num_qk_points": 4, "num_resnet_blocks": 2, "num_transition_layers": 1,
          "num_v_points": 8, "pairwise_dim": 128, "resnet_dim": 128, "sequence_dim": 384, "trans_scale_factor": 10
        }
      }
    }})"));
  return config;
}

ModelConfig parse(const json& object) { return parse_model_config(object.dump(), "config.json"); }

void expect_esmfold_v1(const FoldConfig& fold) {
  EXPECT_TRUE(fold.embed_aa);
  EXPECT_FALSE(fold.bypass_lm);
  EXPECT_FALSE(fold.esm_ablate_sequence);
  EXPECT_EQ(fold.lddt_head_hid_dim, 128);
  const TrunkConfig& trunk = fold.trunk;
  EXPECT_EQ(trunk.num_blocks, 48);
  EXPECT_EQ(trunk.sequence_state_dim, 1024);
  EXPECT_EQ(trunk.pairwise_state_dim, 128);
  EXPECT_EQ(trunk.sequence_heads(), 32);
  EXPECT_EQ(trunk.pairwise_heads(), 4);
  EXPECT_EQ(trunk.position_bins, 32);
  const StructureModuleConfig& structure = trunk.structure_module;
  EXPECT_EQ(structure.sequence_dim, 384);
  EXPECT_EQ(structure.pairwise_dim, 128);
  EXPECT_EQ(structure.ipa_dim, 16);
  EXPECT_EQ(structure.resnet_dim, 128);
  EXPECT_EQ(structure.num_heads_ipa, 12);
  EXPECT_EQ(structure.num_qk_points, 4);
  EXPECT_EQ(structure.num_v_points, 8);
  EXPECT_EQ(structure.num_blocks, 8);
  EXPECT_EQ(structure.num_transition_layers, 1);
  EXPECT_EQ(structure.num_resnet_blocks, 2);
  EXPECT_EQ(structure.num_angles, 7);
  EXPECT_DOUBLE_EQ(structure.trans_scale_factor, 10);
  EXPECT_DOUBLE_EQ(structure.epsilon, 1e-8);
}

TEST(FoldConfig, ReadsTheHubsConfig) {
  const ModelConfig config = parse(esmfold_config());
  EXPECT_EQ(config.language_model.hidden_size, 2560);
  EXPECT_EQ(config.language_model.num_hidden_layers, 36);
  ASSERT_TRUE(config.fold);
  expect_esmfold_v1(*config.fold);
}

TEST(FoldConfig, IsAbsentFromALanguageModel) {
  json config = esm2_config();
  EXPECT_FALSE(parse(config).fold);
  config.erase("is_folding_model");
  config.erase("esmfold_config");
  EXPECT_FALSE(parse(config).fold);
}

TEST(FoldConfig, WhatIsAbsentOrNullHasTheReferencesDefault) {
  json config = esmfold_config();
  json& fold = config["esmfold_config"];
  for (const auto& [name, value] : fold["trunk"]["structure_module"].items()) value = nullptr;
  expect_esmfold_v1(*parse(config).fold);
  fold["trunk"]["structure_module"] = json::object();
  expect_esmfold_v1(*parse(config).fold);
  for (const auto& [name, value] : fold["trunk"].items()) value = nullptr;
  expect_esmfold_v1(*parse(config).fold);
  for (const auto& [name, value] : fold.items()) value = nullptr;
  expect_esmfold_v1(*parse(config).fold);
  fold = json::object();
  expect_esmfold_v1(*parse(config).fold);
  fold = nullptr;
  expect_esmfold_v1(*parse(config).fold);
  config.erase("esmfold_config");
  expect_esmfold_v1(*parse(config).fold);
}

TEST(FoldConfig, EveryKeyIsRead) {
  json config = esmfold_config();
  config["esmfold_config"].update(json::parse(R"({
      "embed_aa": false, "bypass_lm": true, "esm_ablate_sequence": true, "lddt_head_hid_dim": 17, "unheard_of": [1],
      "trunk": {"num_blocks": 2, "sequence_state_dim": 48, "pairwise_state_dim": 20, "sequence_head_width": 12,
                "pairwise_head_width": 5, "position_bins": 9, "dropout": 0.3,
                "structure_module": {"sequence_dim": 24, "pairwise_dim": 10, "ipa_dim": 3, "resnet_dim": 11,
                                     "num_heads_ipa": 5, "num_qk_points": 2, "num_v_points": 3, "num_blocks": 4,
                                     "num_transition_layers": 6, "num_resnet_blocks": 7, "trans_scale_factor": 2.5,
                                     "epsilon": 0.001}}})"));
  const FoldConfig fold = *parse(config).fold;
  EXPECT_FALSE(fold.embed_aa);
  EXPECT_TRUE(fold.bypass_lm);
  EXPECT_TRUE(fold.esm_ablate_sequence);
  EXPECT_EQ(fold.lddt_head_hid_dim, 17);
  EXPECT_EQ(fold.trunk.num_blocks, 2);
  EXPECT_EQ(fold.trunk.sequence_state_dim, 48);
  EXPECT_EQ(fold.trunk.sequence_heads(), 4);
  EXPECT_EQ(fold.trunk.pairwise_state_dim, 20);
  EXPECT_EQ(fold.trunk.pairwise_heads(), 4);
  EXPECT_EQ(fold.trunk.position_bins, 9);
  const StructureModuleConfig& structure = fold.trunk.structure_module;
  EXPECT_EQ(structure.sequence_dim, 24);
  EXPECT_EQ(structure.pairwise_dim, 10);
  EXPECT_EQ(structure.ipa_dim, 3);
  EXPECT_EQ(structure.resnet_dim, 11);
  EXPECT_EQ(structure.num_heads_ipa, 5);
  EXPECT_EQ(structure.num_qk_points, 2);
  EXPECT_EQ(structure.num_v_points, 3);
  EXPECT_EQ(structure.num_blocks, 4);
  EXPECT_EQ(structure.num_transition_layers, 6);
  EXPECT_EQ(structure.num_resnet_blocks, 7);
  EXPECT_DOUBLE_EQ(structure.trans_scale_factor, 2.5);
  EXPECT_DOUBLE_EQ(structure.epsilon, 0.001);
}

TEST(FoldConfig, TheVocabularyIsTheLanguageModels) {
  // Beside esmfold_v1 vocab.txt is that of its tokenizer: residues in AlphaFold's order, of another number.
  const ScratchFolder folder;
  json config = esmfold_config();
  write_file(folder.path() / "vocab.txt", "A\nR\nN\nD\nC\n<pad>\n<mask>\n<cls>\n<sep>\n<eos>");
  write_file(folder.path() / "config.json", config.dump());
  EXPECT_EQ(load_model_config(folder.path()).language_model.vocab[4], "L");
  config["vocab_list"] = parse(config).language_model.vocab;
  std::swap(config["vocab_list"][4], config["vocab_list"][5]);
  write_file(folder.path() / "config.json", config.dump());
  EXPECT_EQ(load_model_config(folder.path()).language_model.vocab[4], "A");
  config["vocab_list"][32] = "J";
  write_file(folder.path() / "config.json", config.dump());
  expect_error(ErrorCode::bad_input, "vocab_list has no token '<mask>'",
               [&] { return load_model_config(folder.path()); });
}

struct Wrong {
  const char* name;
  const char* pointer;  // of the value to change
  json value;
  const char* text;
};

void PrintTo(const Wrong& wrong, std::ostream* out) { *out << wrong.name; }

class WrongFoldConfig : public testing::TestWithParam<Wrong> {};

TEST_P(WrongFoldConfig, IsRefusedByName) {
  json config = esmfold_config();
  config[json::json_pointer(GetParam().pointer)] = GetParam().value;
  const std::string message = expect_error(ErrorCode::bad_input, GetParam().text, [&] { return parse(config); });
  EXPECT_THAT(message, testing::StartsWith("config.json: "));
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongFoldConfig,
    testing::ValuesIn(std::vector<Wrong>{
        {"not_said_to_fold", "/is_folding_model", false, "esmfold_config is given, but is_folding_model is not true"},
        {"nothing_said_of_folding", "/is_folding_model", nullptr, "but is_folding_model is not true"},
        {"folding_is_a_number", "/is_folding_model", 1, "is_folding_model is '1', not true or false"},
        {"a_list", "/esmfold_config", json::array(), "esmfold_config is not an object"},
        {"attention_maps", "/esmfold_config/use_esm_attn_map", true, "esmfold_config.use_esm_attn_map is true"},
        {"flag", "/esmfold_config/embed_aa", "yes", "esmfold_config.embed_aa is '\"yes\"', not true or false"},
        {"trunk", "/esmfold_config/trunk", 48, "esmfold_config.trunk is not an object"},
        {"structure_module", "/esmfold_config/trunk/structure_module", "deep",
         "esmfold_config.trunk.structure_module is not an object"},
        {"heads", "/esmfold_config/trunk/sequence_head_width", 48,
         "esmfold_config.trunk.sequence_state_dim is 1024, not a multiple of sequence_head_width 48"},
        {"pair_heads", "/esmfold_config/trunk/pairwise_head_width", 48,
         "esmfold_config.trunk.pairwise_state_dim is 128, not a multiple of pairwise_head_width 48"},
        {"wide_head", "/esmfold_config/trunk/pairwise_head_width", 256, "not a multiple of pairwise_head_width 256"},
        {"angles", "/esmfold_config/trunk/structure_module/num_angles", 6, "num_angles is 6; a residue has 7"},
        {"no_blocks", "/esmfold_config/trunk/num_blocks", 0, "trunk.num_blocks is '0', not a whole number from 1"},
        {"many_blocks", "/esmfold_config/trunk/num_blocks", 1'000'000'000'000, "trunk.num_blocks is"},
        {"negative_width", "/esmfold_config/trunk/sequence_state_dim", -1024, "sequence_state_dim is '-1024'"},
        {"fractional_width", "/esmfold_config/trunk/pairwise_state_dim", 128.0, "pairwise_state_dim is '128.0'"},
        {"huge_width", "/esmfold_config/trunk/structure_module/sequence_dim", 1 << 20, "from 1 to 65536"},
        {"no_heads", "/esmfold_config/trunk/structure_module/num_heads_ipa", 0, "num_heads_ipa is '0'"},
        {"scale", "/esmfold_config/trunk/structure_module/trans_scale_factor", 0, "trans_scale_factor must be above 0"},
        {"epsilon", "/esmfold_config/trunk/structure_module/epsilon", "tiny", "epsilon is '\"tiny\"', not a number"},
        {"hidden", "/esmfold_config/lddt_head_hid_dim", true, "lddt_head_hid_dim is 'true'"},
        {"language_model", "/hidden_size", nullptr, "no hidden_size"}}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(FoldConfig, AnOddPairStateIsRefused) {
  json config = esmfold_config();
  config["esmfold_config"]["trunk"].update({{"pairwise_state_dim", 27}, {"pairwise_head_width", 9}});
  expect_error(ErrorCode::bad_input, "pairwise_state_dim is 27", [&] { return parse(config); });
}

}  // namespace
}  // namespace pleat
