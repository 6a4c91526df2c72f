#include "plan/scoring_cost.h"

#include <gtest/gtest.h>

namespace pleat {
namespace {

ScoringTask task(ScoringMode mode, const std::string& variants, VariantMethod method) {
  return {true, mode, variants, method};
}

// The passes over a sequence of 10 residues, of whose table of 5 variants 3 residues are changed.
struct Case {
  ScoringMode mode;
  const char* variants;
  VariantMethod method;
  std::int64_t copies;
  bool unmasked;
};

TEST(ScoringPasses, EachMethodTakesItsOwn) {
  using enum ScoringMode;
  using enum VariantMethod;
  for (const Case& tested :
       {Case{exact, "none", masked_marginals, 10, false}, Case{one_pass, "none", masked_marginals, 0, true},
        Case{exact, "all_single", masked_marginals, 10, false},
        Case{one_pass, "all_single", masked_marginals, 10, true},
        Case{exact, "all_single", wildtype_marginals, 10, true},
        Case{one_pass, "all_single", wildtype_marginals, 0, true},
        Case{one_pass, "all_single", pll_ratio, 10 + 190 * 10, true}, Case{exact, "t.csv", masked_marginals, 10, false},
        Case{one_pass, "t.csv", masked_marginals, 3, true}, Case{one_pass, "t.csv", wildtype_marginals, 0, true},
        Case{exact, "t.csv", pll_ratio, 10 + 5 * 10, false}, Case{one_pass, "t.csv", pll_ratio, 10 + 5 * 10, true}}) {
    SCOPED_TRACE(testing::Message() << static_cast<int>(tested.mode) << " " << tested.variants << " "
                                    << static_cast<int>(tested.method));
    const ScoringPasses passes(task(tested.mode, tested.variants, tested.method));
    EXPECT_EQ(passes.masked_copies(10, {.positions = 3, .mutants = 5}), tested.copies);
    EXPECT_EQ(passes.unmasked, tested.unmasked);
  }
}

TEST(ScoringPasses, NothingIsNothing) {
  const ScoringPasses passes{ScoringTask()};
  EXPECT_EQ(passes.masked_copies(10, {}), 0);
  EXPECT_FALSE(passes.unmasked);
}

}  // namespace
}  // namespace pleat
