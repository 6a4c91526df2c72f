#include "weights/known_answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/error.h"
#include "weights/registry.h"

namespace pleat {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* good = R"({"answers": [{"quantity": "mean_plddt", "sequence": "MK", "passes": 1,
  "values": [[50]], "bounds": {"float32": 1}, "source": "here"}]})";

TEST(KnownAnswers, EveryPublishedOneIsOfAModelOfTheRegistryAndHasABoundForEachPrecision) {
  EXPECT_THAT(published_answers(), SizeIs(3));
  for (const KnownAnswer& answer : published_answers()) {
    const ModelEntry* const entry = find_model(answer.model);
    ASSERT_NE(entry, nullptr) << answer.model;
    EXPECT_EQ(entry->kind == ModelKind::esmfold, answer.quantity != AnswerQuantity::last_layer);
    for (const char* precision : {"float32", "tf32", "bfloat16", "float16"}) {
      EXPECT_GE(answer.bounds.at(precision), answer.bounds.at("float32")) << describe(answer);
    }
    EXPECT_FALSE(answer.source.empty());
  }
}

TEST(KnownAnswers, ArePublishedForANameOrAFolderThatIsCalledAfterTheModel) {
  EXPECT_THAT(known_answers("esmfold_v1", "/anywhere"), SizeIs(2));
  EXPECT_THAT(known_answers("facebook/esm2_t6_8M_UR50D", "/anywhere"), SizeIs(1));
  EXPECT_THAT(known_answers("x", "/models/esm2_t6_8M_UR50D"), SizeIs(1));
  EXPECT_THAT(known_answers("x", "/hub/models--facebook--esmfold_v1/snapshots/75a3841"), SizeIs(2));
  EXPECT_THAT(known_answers("esm2_t33_650M_UR50D", "/anywhere"), IsEmpty());
  EXPECT_THAT(known_answers("x", "/models/mine"), IsEmpty());
  EXPECT_THAT(known_answers("x", "/models/esm2_t6_8M_UR50D/fine-tuned"), IsEmpty());
  EXPECT_THAT(known_answers("x", "/models/esm2_t6_8M_UR50D/"), SizeIs(1));
}

TEST(KnownAnswers, AModelsOwnFileComesFirst) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "esmfold_v1";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "known_answers.json") << good;
  const std::vector<KnownAnswer> answers = known_answers("esmfold_v1", folder);
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(answers[0].sequence, "MK");
  EXPECT_EQ(answers[0].values, (std::vector<std::vector<double>>{{50}}));
  std::filesystem::remove_all(folder);
}

struct Broken {
  const char* from;
  const char* to;
  const char* message;
};

TEST(KnownAnswers, ABrokenListIsRefusedWithTheAnswerAndTheReason) {
  const std::vector<Broken> kinds{
      {"mean_plddt", "mean", "no quantity 'mean'"},
      {"\"MK\"", "\"M:K\"", "one chain of amino acids"},
      {"\"MK\"", "\"\"", "one chain of amino acids"},
      {"\"passes\": 1", "\"passes\": 0", "'passes' is to be 1 or more"},
      {"[[50]]", "[]", "'values' is empty"},
      {"[[50]]", "[[50], [1, 2]]", "differ in length"},
      {"[[50]]", "[[50, 51]]", "not the shape of its quantity"},
      {"[[50]]", "[[\"x\"]]", "type must be number"},
      {"\"source\"", "\"from\"", "'source' not found"},
  };
  for (const Broken& kind : kinds) {
    std::string text = good;
    text.replace(text.find(kind.from), std::string(kind.from).size(), kind.to);
    try {
      static_cast<void>(parse_known_answers(text, "a.json"));
      FAIL() << kind.to;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_input);
      EXPECT_THAT(error.what(), HasSubstr("a.json: answer 1: "));
      EXPECT_THAT(error.what(), HasSubstr(kind.message));
    }
  }
}

}  // namespace
}  // namespace pleat
