// Checkpoints that do not fit their config.json: refused whole, with everything wrong in one message.

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "core/error.h"
#include "core/file.h"
#include "core/stop.h"
#include "esm2/model.h"
#include "esm2/tensors.h"
#include "golden.h"

namespace pleat {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string load_error(const std::filesystem::path& folder, const Esm2Config& config) {
  try {
    const Esm2 model(Checkpoint::open(folder), config, at::kFloat);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_input);
    return error.what();
  }
  return "no error";
}

TEST(Esm2Checkpoint, ListsEveryTensorOfTheWrongShape) {
  const auto folder = load_golden("head16").folder;
  Esm2Config config = load_model_config(folder).language_model;
  config.intermediate_size += 8;
  EXPECT_THAT(load_error(folder, config), AllOf(HasSubstr("esm.encoder.layer.0.intermediate.dense.weight"),
                                                HasSubstr("esm.encoder.layer.1.output.dense.weight")));
}

TEST(Esm2Checkpoint, ListsMissingLayersAndUnexpectedOnes) {
  const auto folder = load_golden("head16").folder;
  Esm2Config deeper = load_model_config(folder).language_model;
  const std::int64_t depth = deeper.num_hidden_layers;
  ++deeper.num_hidden_layers;
  EXPECT_THAT(load_error(folder, deeper), HasSubstr("encoder.layer." + std::to_string(depth) + ".output.dense.bias"));
  Esm2Config shallower = load_model_config(folder).language_model;
  --shallower.num_hidden_layers;
  EXPECT_THAT(load_error(folder, shallower),
              HasSubstr("encoder.layer." + std::to_string(depth - 1) + ".output.dense.bias"));
}

TEST(Esm2Checkpoint, LoadingStopsBetweenTensors) {
  const auto folder = load_golden("head16").folder;
  const Esm2Config config = load_model_config(folder).language_model;
  StopToken terminated;
  terminated.request_signal(SIGTERM);
  const StopScope scope(terminated);
  EXPECT_THROW(Esm2(Checkpoint::open(folder), config, at::kFloat), Stopped);
}

TEST(Esm2Checkpoint, NamesTheTensorThatHoldsANotANumber) {
  const auto source = load_golden("head16").folder;
  const auto folder = std::filesystem::path(testing::TempDir()) / "pleat_nan_model";
  std::filesystem::create_directories(folder);
  std::filesystem::copy_file(source / "config.json", folder / "config.json",
                             std::filesystem::copy_options::overwrite_existing);
  std::string bytes = read_text_file(source / "model.safetensors");
  {
    const Checkpoint whole = Checkpoint::open(source);
    const TensorView& view = whole.tensors().at("esm.encoder.layer.1.output.dense.weight");
    const std::string needle(reinterpret_cast<const char*>(view.data.data()), view.data.size());
    const std::size_t place = bytes.find(needle);
    ASSERT_NE(place, std::string::npos);
    const float nan = NAN;
    std::memcpy(bytes.data() + place + 40, &nan, sizeof nan);
  }
  std::ofstream(folder / "model.safetensors", std::ios::binary) << bytes;
  EXPECT_THAT(load_error(folder, load_model_config(folder).language_model),
              AllOf(HasSubstr("esm.encoder.layer.1.output.dense.weight"), HasSubstr("NaN")));
  std::filesystem::remove_all(folder);
}

TEST(Esm2Checkpoint, EveryPublishedSizeBindsByNameAndShape) {
  // layers, width, heads: 8M, 35M, 150M, 650M, 3B, 15B; parameters as published, without the contact head's few
  const std::vector<std::tuple<int, int, int, double>> sizes = {{6, 320, 20, 7.5e6},    {12, 480, 20, 33.5e6},
                                                                {30, 640, 20, 148e6},   {33, 1280, 20, 651e6},
                                                                {36, 2560, 40, 2838e6}, {48, 5120, 40, 15.1e9}};
  for (const auto& [layers, width, heads, parameters] : sizes) {
    Esm2Config config;
    config.num_hidden_layers = layers;
    config.hidden_size = width;
    config.num_attention_heads = heads;
    config.intermediate_size = 4 * width;
    double total = 0;
    Esm2Parts parts;
    parts.lm_head = true;
    parts.contact_head = true;
    for (const TensorSpec& spec : esm2_tensor_specs(config, parts)) {
      double numel = 1;
      for (const std::int64_t n : spec.shape) numel *= static_cast<double>(n);
      total += numel;
    }
    EXPECT_NEAR(total / parameters, 1, 0.02) << layers << " layers";
  }
}

}  // namespace
}  // namespace pleat
