// The tensors of published checkpoints, by lists of their names, types and shapes (tests/data/checkpoints), and of the
// small models of tests/data/esmfold.
#include "esmfold/tensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <map>
#include <sstream>

#include "core/error.h"
#include "core/file.h"
#include "esm2/tensors.h"
#include "test_data.h"
#include "weights/registry.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;
using Tensors = std::map<std::string, TensorView>;

const fs::path lists = test_data() / "checkpoints";

std::string read_gzip(const fs::path& file) {
  gzFile const gz = gzopen(file.c_str(), "rb");
  if (gz == nullptr) throw std::runtime_error("cannot open " + file.string());
  std::string text;
  std::array<char, 65536> block{};
  for (int count = 0; (count = gzread(gz, block.data(), block.size())) > 0;) {
    text.append(block.data(), static_cast<std::size_t>(count));
  }
  gzclose(gz);
  return text;
}

// Views without data from lines of "name <TAB> type <TAB> sizes".
Tensors parse_list(const std::string& text) {
  static const std::map<std::string, DType> types{
      {"F32", DType::float32}, {"F16", DType::float16}, {"I64", DType::int64}};
  Tensors tensors;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string name, type, sizes, size;
    std::getline(fields, name, '\t');
    std::getline(fields, type, '\t');
    std::getline(fields, sizes);
    std::vector<std::int64_t> shape;
    for (std::istringstream parts(sizes); std::getline(parts, size, ',');) shape.push_back(std::stoll(size));
    tensors.emplace(name, TensorView{types.at(type), shape, {}});
  }
  return tensors;
}

// All that a model binds, and what it may leave.
struct Expected {
  std::vector<TensorSpec> specs;
  std::vector<std::string> benign;
};

Expected expected_of(const ModelConfig& config, const Tensors& tensors) {
  Expected expected{esm2_tensor_specs(config.language_model, esm2_parts(tensors)), esm2_benign_tensors()};
  if (!config.fold) return expected;
  for (TensorSpec& spec : esmfold_tensor_specs(config.language_model, *config.fold)) {
    expected.specs.push_back(std::move(spec));
  }
  const std::vector<std::string>& benign = esmfold_benign_tensors();
  expected.benign.insert(expected.benign.end(), benign.begin(), benign.end());
  return expected;
}

struct Published {
  std::string layout;
  std::string model;
  std::size_t tensors;
  std::vector<std::string> left;  // tensors that nothing binds
};

void PrintTo(const Published& published, std::ostream* out) { *out << published.layout << " " << published.model; }

Tensors tensors_of(const Published& published) {
  return parse_list(read_gzip(lists / ("transformers-" + published.layout) / (published.model + ".tsv.gz")));
}

ModelConfig config_of(const Published& published) {
  const fs::path file = lists / ("transformers-" + published.layout) / (published.model + ".json");
  return parse_model_config(read_text_file(file), file.string());
}

std::vector<Published> published_models() {
  const std::vector<std::string> positions{"esm.embeddings.position_embeddings.weight"};
  std::vector<Published> all{{"4.49", "esmfold_v1", 4536, positions}, {"5.23", "esmfold_v1", 4500, {}}};
  const std::map<std::string, std::size_t> depths{{"esm2_t6_8M_UR50D", 6},     {"esm2_t12_35M_UR50D", 12},
                                                  {"esm2_t30_150M_UR50D", 30}, {"esm2_t33_650M_UR50D", 33},
                                                  {"esm2_t36_3B_UR50D", 36},   {"esm2_t48_15B_UR50D", 48}};
  for (const auto& [model, depth] : depths) {
    // 16 tensors a layer, embeddings, the last norm, heads; in 4.x rotary frequencies of each layer, positions and the
    // tied decoder, in 5.x one tensor of frequencies.
    all.push_back({"4.49", model, 17 * depth + 12, positions});
    all.push_back({"5.23", model, 16 * depth + 11, {}});
  }
  return all;
}

class PublishedModel : public testing::TestWithParam<Published> {};

TEST_P(PublishedModel, BindsExactly) {
  const Tensors tensors = tensors_of(GetParam());
  ASSERT_EQ(tensors.size(), GetParam().tensors);
  const Expected expected = expected_of(config_of(GetParam()), tensors);
  EXPECT_NO_THROW(check_tensors(tensors, expected.specs, expected.benign));
  // Nothing hides among the leftovers, and no tensor is bound twice.
  std::map<std::string, int> bound;
  for (const TensorSpec& spec : expected.specs) ++bound[spec.name];
  EXPECT_EQ(bound.size(), expected.specs.size());
  std::vector<std::string> left;
  for (const auto& [name, tensor] : tensors) {
    if (!bound.contains(name)) left.push_back(name);
  }
  EXPECT_EQ(left, GetParam().left);
}

INSTANTIATE_TEST_SUITE_P(All, PublishedModel, testing::ValuesIn(published_models()), [](const auto& test) {
  return test.param.model + (test.param.layout == "4.49" ? "_in_4" : "_in_5");
});

TEST_P(PublishedModel, HasTheRegistrysParameters) {
  std::int64_t parameters = 0;
  for (const auto& [name, tensor] : tensors_of(GetParam())) {
    const bool table = name.ends_with("inv_freq") || name == "af2_to_esm";
    const bool tied_or_unused = name == "lm_head.decoder.weight" || name.ends_with("position_embeddings.weight");
    if (!table && !tied_or_unused) parameters += tensor.numel();
  }
  EXPECT_EQ(parameters, require_model(GetParam().model).parameters);
}

const Published esmfold_v1{"4.49", "esmfold_v1", 4536, {}};

// The message of check_tensors, which must refuse; empty where it does not.
std::string refusal(const Tensors& tensors, const ModelConfig& config) {
  const Expected expected = expected_of(config, tensors);
  try {
    check_tensors(tensors, expected.specs, expected.benign);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_input);
    return error.what();
  }
  return {};
}

TEST(EsmFoldTensors, LeftoversOfTheHubsFileAreBenign) {
  Tensors tensors = tensors_of(esmfold_v1);
  tensors.merge(parse_list(read_text_file(lists / "hub_leftovers.tsv")));
  ASSERT_EQ(tensors.size(), 4537U);
  for (const char* const constant : {"default_frames", "group_idx", "atom_mask", "lit_positions"}) {
    tensors[std::string("trunk.structure_module.") + constant] = {DType::float32, {21, 8, 4, 4}, {}};
  }
  EXPECT_EQ(refusal(tensors, config_of(esmfold_v1)), "");
}

TEST(EsmFoldTensors, AMissingAMisshapenAndAnExtraOneAreNamed) {
  const ModelConfig config = config_of(esmfold_v1);
  const Tensors sound = tensors_of(esmfold_v1);
  std::size_t number = 0;
  for (const auto& [name, tensor] : sound) {
    // A block of the trunk has 80 tensors: with steps of 27 every one of them comes up in some block.
    const bool language_model = name.starts_with("esm.");
    if (language_model || ++number % 27 != 1) continue;
    Tensors changed = sound;
    changed.erase(name);
    EXPECT_THAT(refusal(changed, config), testing::HasSubstr("1 missing:\n    '" + name + "'"));
    changed = sound;
    changed[name].shape.back() += 1;
    EXPECT_THAT(refusal(changed, config), testing::HasSubstr("1 with another shape:\n    '" + name + "'"));
    changed = sound;
    changed[name].dtype = tensor.dtype == DType::int64 ? DType::float32 : DType::int64;
    EXPECT_THAT(refusal(changed, config), testing::HasSubstr("1 of another type:\n    '" + name + "'"));
    changed = sound;
    changed[name + "x"] = tensor;
    EXPECT_THAT(refusal(changed, config), testing::HasSubstr("1 unexpected:\n    '" + name + "x'"));
  }
  EXPECT_GT(number, 3500U);
}

TEST(EsmFoldTensors, EverySizeOfTheConfigurationCounts) {
  const ModelConfig config = config_of(esmfold_v1);
  const Tensors tensors = tensors_of(esmfold_v1);
  using Change = void (*)(FoldConfig&);
  const std::map<std::string, Change> changes{
      {"embed_aa", [](FoldConfig& fold) { fold.embed_aa = false; }},
      {"lddt_head_hid_dim", [](FoldConfig& fold) { ++fold.lddt_head_hid_dim; }},
      {"num_blocks", [](FoldConfig& fold) { ++fold.trunk.num_blocks; }},
      {"fewer num_blocks", [](FoldConfig& fold) { --fold.trunk.num_blocks; }},
      {"sequence_state_dim", [](FoldConfig& fold) { fold.trunk.sequence_state_dim *= 2; }},
      {"pairwise_state_dim", [](FoldConfig& fold) { fold.trunk.pairwise_state_dim *= 2; }},
      {"sequence_head_width", [](FoldConfig& fold) { fold.trunk.sequence_head_width *= 2; }},
      {"pairwise_head_width", [](FoldConfig& fold) { fold.trunk.pairwise_head_width *= 2; }},
      {"position_bins", [](FoldConfig& fold) { ++fold.trunk.position_bins; }},
      {"sequence_dim", [](FoldConfig& fold) { ++fold.trunk.structure_module.sequence_dim; }},
      {"pairwise_dim", [](FoldConfig& fold) { ++fold.trunk.structure_module.pairwise_dim; }},
      {"ipa_dim", [](FoldConfig& fold) { ++fold.trunk.structure_module.ipa_dim; }},
      {"resnet_dim", [](FoldConfig& fold) { ++fold.trunk.structure_module.resnet_dim; }},
      {"num_heads_ipa", [](FoldConfig& fold) { ++fold.trunk.structure_module.num_heads_ipa; }},
      {"num_qk_points", [](FoldConfig& fold) { ++fold.trunk.structure_module.num_qk_points; }},
      {"num_v_points", [](FoldConfig& fold) { ++fold.trunk.structure_module.num_v_points; }},
      {"num_transition_layers", [](FoldConfig& fold) { ++fold.trunk.structure_module.num_transition_layers; }},
      {"num_resnet_blocks", [](FoldConfig& fold) { ++fold.trunk.structure_module.num_resnet_blocks; }},
  };
  for (const auto& [name, change] : changes) {
    ModelConfig changed = config;
    change(*changed.fold);
    EXPECT_THAT(refusal(tensors, changed), testing::Not(testing::IsEmpty())) << name;
  }
}

// Small models with real files.

class SmallModel : public testing::TestWithParam<std::string> {
 protected:
  [[nodiscard]] fs::path folder() const { return test_data() / "esmfold" / GetParam(); }
};

TEST_P(SmallModel, BindsExactly) {
  const ModelConfig config = load_model_config(folder());
  ASSERT_TRUE(config.fold);
  const Checkpoint checkpoint = Checkpoint::open(folder());
  EXPECT_EQ(refusal(checkpoint.tensors(), config), "");
  EXPECT_NO_THROW(check_af2_to_esm(checkpoint.tensors(), config.language_model));
}

INSTANTIATE_TEST_SUITE_P(All, SmallModel, testing::Values("ordinary", "odd", "wide_pair", "tiny_zip"),
                         [](const auto& test) { return test.param; });

TEST(Af2ToEsm, MustAgreeWithTheVocabulary) {
  const ModelConfig config = config_of(esmfold_v1);
  // <pad>, then ARNDCQEGHILKMFPSTWYV and X, as the published vocabulary numbers them.
  std::vector<std::int64_t> tokens{1, 5, 10, 17, 13, 23, 16, 9, 6, 21, 12, 4, 15, 20, 18, 14, 8, 11, 22, 19, 7, 24};
  const auto check = [&] {
    const Tensors tensors{{"af2_to_esm", {DType::int64, {22}, std::as_bytes(std::span(tokens))}}};
    check_af2_to_esm(tensors, config.language_model);
  };
  EXPECT_NO_THROW(check());
  std::swap(tokens[1], tokens[2]);
  try {
    check();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_input);
    EXPECT_THAT(error.what(), testing::HasSubstr("take token 10 for 'A' (tensor 'af2_to_esm'), but it is token 5"));
  }
  std::swap(tokens[1], tokens[2]);
  tokens[21] = -1;
  EXPECT_THROW(check(), Error);
  EXPECT_NO_THROW(check_af2_to_esm({}, config.language_model));
}

}  // namespace
}  // namespace pleat
