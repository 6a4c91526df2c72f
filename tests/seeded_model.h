// Golden models whose weights are made from seeds: see scripts/golden/seeded.py, which says how.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "core/file.h"
#include "core/scratch_folder.h"

namespace pleat {

// SplitMix64.
class SplitMix {
 public:
  explicit SplitMix(std::uint64_t seed) : state_(seed) {}
  std::uint64_t operator()() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

// The bytes of a tensor of weights.json, and their type's name in safetensors.
struct ListedTensor {
  std::string dtype;
  std::string bytes;
};

template <class T>
void append_number(std::string& bytes, T number) {
  const std::size_t end = bytes.size();
  bytes.resize(end + sizeof number);
  std::memcpy(bytes.data() + end, &number, sizeof number);
}

inline ListedTensor listed_tensor(const nlohmann::json& entry) {
  ListedTensor tensor{"F32", {}};
  if (entry.contains("values")) {
    const bool integers = entry.at("dtype") == "int64";
    if (!integers && entry.at("dtype") != "float32") throw std::runtime_error("weights.json: unknown type");
    if (integers) tensor.dtype = "I64";
    for (const auto& value : entry.at("values")) {
      integers ? append_number(tensor.bytes, value.get<std::int64_t>())
               : append_number(tensor.bytes, value.get<float>());
    }
    return tensor;
  }
  std::int64_t count = 1;
  for (const auto& size : entry.at("shape")) count *= size.get<std::int64_t>();
  const double shift = entry.at("shift").get<double>();
  const double scale = entry.at("scale").get<double>();
  SplitMix random(entry.at("seed").get<std::uint64_t>());
  for (std::int64_t i = 0; i < count; ++i) {
    const double k = static_cast<double>(random() >> 53);
    append_number(tensor.bytes, static_cast<float>(shift + scale * ((k - 1024) / 1024)));
  }
  return tensor;
}

inline void write_seeded_weights(const std::filesystem::path& list, const std::filesystem::path& file) {
  nlohmann::json header;
  std::string data;
  for (const auto& entry : nlohmann::json::parse(read_text_file(list))) {
    const ListedTensor tensor = listed_tensor(entry);
    const std::size_t begin = data.size();
    data += tensor.bytes;
    header[entry.at("name").get<std::string>()] = {
        {"dtype", tensor.dtype}, {"shape", entry.at("shape")}, {"data_offsets", {begin, data.size()}}};
  }
  const std::string text = header.dump();
  std::string length;
  append_number(length, static_cast<std::uint64_t>(text.size()));
  std::ofstream(file, std::ios::binary) << length << text << data;
}

// The folder with config.json and weights of a golden model: its own, or one that is made the first time and removed
// when the program ends.
inline std::filesystem::path golden_model_folder(const std::filesystem::path& golden) {
  if (!std::filesystem::exists(golden / "weights.json")) return golden;
  static std::map<std::filesystem::path, ScratchFolder> made;
  const auto [folder, is_new] = made.try_emplace(golden);
  const std::filesystem::path path = folder->second.path();
  if (is_new) {
    std::filesystem::copy_file(golden / "config.json", path / "config.json");
    write_seeded_weights(golden / "weights.json", path / "model.safetensors");
  }
  return path;
}

}  // namespace pleat
