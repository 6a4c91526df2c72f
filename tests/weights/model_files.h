// Files of small models, good ones and bad ones.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "core/error.h"
#include "core/scratch_folder.h"

namespace pleat {

// 8 bytes of length, the header, the data.
inline std::string safetensors(const std::string& header, const std::string& data) {
  std::string file(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) file[i] = static_cast<char>(header.size() >> (8 * i) & 0xff);
  return file + header + data;
}

// Two float32 tensors: a [2, 3] holding 0 to 5, then b [1] holding 6.
inline std::string two_tensors() {
  std::string data(28, '\0');
  for (std::size_t i = 0; i < 7; ++i) {
    const auto value = static_cast<float>(i);
    std::memcpy(data.data() + 4 * i, &value, 4);
  }
  return safetensors(R"({"__metadata__":{"format":"pt"},)"
                     R"("a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                     R"("b":{"dtype":"F32","shape":[1],"data_offsets":[24,28]}})",
                     data);
}

// One tensor `name`, uint8 [4].
inline std::string one_tensor(const std::string& name) {
  return safetensors(R"({")" + name + R"(":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", "abcd");
}

// config.json of the smallest published ESM-2, as the hub has it.
inline nlohmann::json esm2_config() {
  return nlohmann::json::parse(R"({
    "_name_or_path": "/tmp/facebook/esm2_t6_8M_UR50D", "architectures": ["EsmForMaskedLM"],
    "attention_probs_dropout_prob": 0.0, "classifier_dropout": null, "emb_layer_norm_before": false,
    "esmfold_config": null, "hidden_act": "gelu", "hidden_dropout_prob": 0.0, "hidden_size": 320,
    "initializer_range": 0.02, "intermediate_size": 1280, "is_folding_model": false, "layer_norm_eps": 1e-05,
    "mask_token_id": 32, "max_position_embeddings": 1026, "model_type": "esm", "num_attention_heads": 20,
    "num_hidden_layers": 6, "pad_token_id": 1, "position_embedding_type": "rotary", "token_dropout": true,
    "torch_dtype": "float32", "transformers_version": "4.25.0.dev0", "use_cache": true, "vocab_list": null,
    "vocab_size": 33})");
}

// The published vocab.txt.
inline std::string vocab_text() {
  return "<cls>\n<pad>\n<eos>\n<unk>\nL\nA\nG\nV\nS\nE\nR\nT\nI\nD\nP\nK\nQ\nN\nF\nY\nM\nH\nW\nC\nX\nB\nU\nZ\nO\n.\n-\n"
         "<null_1>\n<mask>";
}

inline void write_file(const std::filesystem::path& file, const std::string& content) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << content;
}

// A folder that counts as a whole model.
inline void write_model(const std::filesystem::path& folder) {
  write_file(folder / "config.json", esm2_config().dump());
  write_file(folder / "model.safetensors", two_tensors());
}

// Runs `action`, which must throw an Error of this code whose text holds `text`; returns the whole text.
template <typename Action>
std::string expect_error(ErrorCode code, const std::string& text, const Action& action) {
  try {
    static_cast<void>(action());
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_THAT(error.what(), testing::HasSubstr(text));
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown; expected: " << text;
  return {};
}

}  // namespace pleat
