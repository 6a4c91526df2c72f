#include "weights/registry.h"

#include <cmath>
#include <set>

#include "model_files.h"
#include "weights/hub_environment.h"

namespace pleat {
namespace {

// Parameters of an ESM-2 of this shape: embedding, layers, final norm, language-model head, contact regression.
std::int64_t esm2_parameters(std::int64_t layers, std::int64_t d, std::int64_t heads) {
  const std::int64_t vocab = 33;
  const std::int64_t layer = 4 * (d * d + d) + (4 * d * d + 4 * d) + (4 * d * d + d) + 4 * d;
  const std::int64_t head = d * d + d + 2 * d + vocab;
  return vocab * d + layers * layer + 2 * d + head + layers * heads + 1;
}

TEST(Registry, ListsThePublishedModels) {
  std::vector<std::string> names;
  for (const ModelEntry& entry : model_registry()) names.emplace_back(entry.name);
  EXPECT_THAT(names, testing::UnorderedElementsAre("esm2_t6_8M_UR50D", "esm2_t12_35M_UR50D", "esm2_t30_150M_UR50D",
                                                   "esm2_t33_650M_UR50D", "esm2_t36_3B_UR50D", "esm2_t48_15B_UR50D",
                                                   "esmfold_v1"));
}

TEST(Registry, NumbersAgreeWithEachOther) {
  std::set<std::string_view> revisions;
  for (const ModelEntry& entry : model_registry()) {
    EXPECT_EQ(entry.repository, "facebook/" + std::string(entry.name));
    EXPECT_TRUE(is_commit(entry.revision)) << entry.name;
    EXPECT_TRUE(revisions.insert(entry.revision).second) << entry.name;
    if (entry.kind != ModelKind::esm2) continue;
    EXPECT_EQ(entry.parameters, esm2_parameters(entry.layers, entry.width, entry.heads)) << entry.name;
    // Stored as float32, with up to 1,026 learned positions that nothing uses.
    EXPECT_GE(entry.bytes, static_cast<std::uint64_t>(4 * entry.parameters)) << entry.name;
    EXPECT_LE(entry.bytes, static_cast<std::uint64_t>(4 * (entry.parameters + 1100 * entry.width)) + 1'000'000);
    if (entry.format == WeightFormat::safetensors) {
      EXPECT_TRUE(entry.weights_sha256.size() == 64 && is_hexadecimal(entry.weights_sha256)) << entry.name;
    }
  }
}

TEST(Registry, FindsNamesWithAndWithoutOwner) {
  ASSERT_NE(find_model("esm2_t6_8M_UR50D"), nullptr);
  EXPECT_EQ(find_model("facebook/esm2_t6_8M_UR50D"), find_model("esm2_t6_8M_UR50D"));
  EXPECT_EQ(find_model("other/esm2_t6_8M_UR50D"), nullptr);
  EXPECT_EQ(find_model(""), nullptr);
  EXPECT_EQ(find_model("facebook/"), nullptr);
}

TEST(Registry, AMisspeltNameIsCorrected) {
  try {
    static_cast<void>(require_model("facebook/esm2_t33_650M_URD50"));
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::missing_input);
    EXPECT_THAT(error.hint(), testing::HasSubstr("'esm2_t33_650M_UR50D'"));
  }
  expect_error(ErrorCode::missing_input, "no published model 'gpt'", [] { return require_model("gpt"); });
}

}  // namespace
}  // namespace pleat
