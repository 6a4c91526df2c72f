#include "core/nearest.h"

#include <gtest/gtest.h>

#include <vector>

namespace pleat {
namespace {

const std::vector<std::string> words{"tasks", "inputs", "output", "model", "run", "max_tokens_per_batch"};

TEST(Nearest, FindsWhatWasMeant) {
  EXPECT_EQ(nearest("taks", words), "tasks");    // a letter left out
  EXPECT_EQ(nearest("taasks", words), "tasks");  // one too many
  EXPECT_EQ(nearest("tisks", words), "tasks");   // another one
  EXPECT_EQ(nearest("atsks", words), "tasks");   // two swapped
  EXPECT_EQ(nearest("model", words), "model");
  EXPECT_EQ(nearest("max_token_per_batches", words), "max_tokens_per_batch");
}

TEST(Nearest, TheCloserOneWins) {
  EXPECT_EQ(nearest("outputs", words), "output");
  EXPECT_EQ(nearest("input", words), "inputs");
}

TEST(Nearest, SwappedNeighboursAreOneStep) {
  const std::vector<std::string> candidates{"abxy", "abdc"};  // two steps and one from "abcd"
  EXPECT_EQ(nearest("abcd", candidates), "abdc");
}

TEST(Nearest, NothingWhereNothingIsClose) {
  EXPECT_EQ(nearest("completely_different", words), "");
  EXPECT_EQ(nearest("", words), "");
  EXPECT_EQ(nearest("tasks", {}), "");
  EXPECT_EQ(nearest(std::string(100000, 't'), words), "");
}

// Two steps for a short word, a third of the letters of a longer one.
TEST(Nearest, TheLimitGrowsWithTheWord) {
  const std::vector<std::string> short_word{"abcdef"};
  EXPECT_EQ(nearest("abcdxx", short_word), "abcdef");
  EXPECT_EQ(nearest("abcxxx", short_word), "");
  const std::vector<std::string> long_word{"abcdefghi"};
  EXPECT_EQ(nearest("abcdefxxx", long_word), "abcdefghi");
  EXPECT_EQ(nearest("abcdexxxx", long_word), "");
}

}  // namespace
}  // namespace pleat
