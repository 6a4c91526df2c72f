// The published models: what they are called, where they are, how large they are.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace pleat {

enum class ModelKind : std::uint8_t { esm2, esmfold };

// How the repository stores its weights.
enum class WeightFormat : std::uint8_t { safetensors, pytorch };

struct ModelEntry {
  std::string_view name;        // "esm2_t6_8M_UR50D"
  std::string_view repository;  // "facebook/esm2_t6_8M_UR50D"
  std::string_view revision;    // the commit that is fetched unless another one is asked for
  ModelKind kind = ModelKind::esm2;
  WeightFormat format = WeightFormat::safetensors;
  std::int64_t layers = 0;
  std::int64_t width = 0;
  std::int64_t heads = 0;
  std::int64_t parameters = 0;
  std::uint64_t bytes = 0;  // of the weight files, about
  // SHA-256 of model.safetensors at `revision`; empty where the weights are stored otherwise.
  std::string_view weights_sha256;
};

// Smallest first.
[[nodiscard]] std::span<const ModelEntry> model_registry();

// `name` with or without "facebook/"; nullptr where there is no such model.
[[nodiscard]] const ModelEntry* find_model(std::string_view name);

// The known name closest to a misspelt one; empty where none is close.
[[nodiscard]] std::string nearest_model(std::string_view name);

// As find_model, but throws Error(missing_input) that names the nearest known model.
[[nodiscard]] const ModelEntry& require_model(std::string_view name);

}  // namespace pleat
