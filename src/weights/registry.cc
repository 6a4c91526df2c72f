#include "weights/registry.h"

#include <algorithm>
#include <array>
#include <vector>

#include "core/error.h"
#include "core/nearest.h"
#include "weights/strict_json.h"

namespace pleat {
namespace {

constexpr std::string_view owner = "facebook/";

// Parameters: of the masked language model with its contact head, without the unused learned positions. Bytes: of the
// weight files as published; rounded for ESMFold and the 15B model.
constexpr std::array<ModelEntry, 7> published_models{{
    {.name = "esm2_t6_8M_UR50D",
     .repository = "facebook/esm2_t6_8M_UR50D",
     .revision = "c731040fcd8d73dceaa04b0a8e6329b345b0f5df",
     .layers = 6,
     .width = 320,
     .heads = 20,
     .parameters = 7'512'474,
     .bytes = 31'384'292,
     .weights_sha256 = "24c5fa474c48f3b754b86efe752d5f189d2bcd88190fa2270fc92b2ef3034189"},
    {.name = "esm2_t12_35M_UR50D",
     .repository = "facebook/esm2_t12_35M_UR50D",
     .revision = "6fbf070e65b0b7291e7bbcd451118c216cff79d8",
     .layers = 12,
     .width = 480,
     .heads = 20,
     .parameters = 33'501'394,
     .bytes = 136'008'798,
     .weights_sha256 = "e35647818e0e064351d4531ed480d225a002567b4b2b93ad3a9246d753150fc0"},
    {.name = "esm2_t30_150M_UR50D",
     .repository = "facebook/esm2_t30_150M_UR50D",
     .revision = "a695f6045e2e32885fa60af20c13cb35398ce30c",
     .layers = 30,
     .width = 640,
     .heads = 20,
     .parameters = 148'140'154,
     .bytes = 595'257'706,
     .weights_sha256 = "c3f1da8aea53bddd32c246c86168c23b9fd72341fb9db9a94436f855f5053566"},
    {.name = "esm2_t33_650M_UR50D",
     .repository = "facebook/esm2_t33_650M_UR50D",
     .revision = "08e4846e537177426273712802403f7ba8261b6c",
     .layers = 33,
     .width = 1280,
     .heads = 20,
     .parameters = 651'043'254,
     .bytes = 2'609'506'392,
     .weights_sha256 = "a08adabb949fa67ad3c14b509d04fd60368b35007b0095e3358f81200c4f4db0"},
    {.name = "esm2_t36_3B_UR50D",
     .repository = "facebook/esm2_t36_3B_UR50D",
     .revision = "476b639933c8baad5ad09a60ac1a87f987b656fc",
     .format = WeightFormat::pytorch,
     .layers = 36,
     .width = 2560,
     .heads = 40,
     .parameters = 2'839'005'634,
     .bytes = 11'367'082'474,
     .weights_sha256 = {}},
    {.name = "esmfold_v1",
     .repository = "facebook/esmfold_v1",
     .revision = "75a3841ee059df2bf4d56688166c8fb459ddd97a",
     .kind = ModelKind::esmfold,
     .format = WeightFormat::pytorch,
     .layers = 48,
     .width = 1024,
     .heads = 32,
     .parameters = 3'525'038'915,
     .bytes = 8'440'000'000,
     .weights_sha256 = {}},
    {.name = "esm2_t48_15B_UR50D",
     .repository = "facebook/esm2_t48_15B_UR50D",
     .revision = "5fbca39631164edc1d402a5aa369f982f72ee282",
     .format = WeightFormat::pytorch,
     .layers = 48,
     .width = 5120,
     .heads = 40,
     .parameters = 15'129'100'194,
     .bytes = 60'520'000'000,
     .weights_sha256 = {}},
}};

}  // namespace

std::span<const ModelEntry> model_registry() { return published_models; }

const ModelEntry* find_model(std::string_view name) {
  if (name.starts_with(owner)) name.remove_prefix(owner.size());
  const auto* const found = std::ranges::find(published_models, name, &ModelEntry::name);
  return found == published_models.end() ? nullptr : found;
}

std::string nearest_model(std::string_view name) {
  if (name.starts_with(owner)) name.remove_prefix(owner.size());
  std::vector<std::string> names;
  names.reserve(published_models.size());
  for (const ModelEntry& entry : published_models) names.emplace_back(entry.name);
  return nearest(name, names);
}

const ModelEntry& require_model(std::string_view name) {
  if (const ModelEntry* const entry = find_model(name)) return *entry;
  const std::string meant = nearest_model(name);
  throw Error(ErrorCode::missing_input, "there is no published model " + in_quotes(name),
              meant.empty() ? "'pleat model list' shows the names" : "did you mean '" + meant + "'?");
}

}  // namespace pleat
