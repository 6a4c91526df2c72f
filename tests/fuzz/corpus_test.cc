// The corpora of the fuzzers, and what is made of them by changes to a few bytes, without a fuzzer.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "core/file.h"
#include "targets.h"

namespace pleat::fuzz {
namespace {

namespace fs = std::filesystem;

class CorpusTest : public ::testing::TestWithParam<Target> {
 protected:
  void run(const std::string& input) const { GetParam().run(std::as_bytes(std::span(input))); }

  [[nodiscard]] static std::vector<std::pair<std::string, std::string>> inputs() {
    std::vector<std::pair<std::string, std::string>> found;
    for (const fs::directory_entry& entry : fs::directory_iterator(fs::path(PLEAT_CORPUS) / GetParam().name)) {
      found.emplace_back(entry.path().filename(), read_text_file(entry.path()));
    }
    std::ranges::sort(found);
    return found;
  }
};

TEST_P(CorpusTest, IsReadOrRefused) {
  EXPECT_GE(inputs().size(), 4U);
  for (const auto& [name, content] : inputs()) EXPECT_NO_THROW(run(content)) << name;
}

std::string changed(std::string content, std::mt19937& random) {
  const auto below = [&](std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end)(random); };
  for (std::size_t changes = 1 + below(3); changes > 0; --changes) {
    if (content.empty()) return content;
    const std::size_t at = below(content.size() - 1);
    switch (below(3)) {
      case 0: content[at] = static_cast<char>(content[at] ^ (1 << below(7))); break;
      case 1: content[at] = static_cast<char>(below(255)); break;
      case 2: content.erase(at, 1 + below(8)); break;
      default: content.insert(at, content, below(content.size() - 1), 1 + below(16)); break;
    }
  }
  return content;
}

TEST_P(CorpusTest, IsReadOrRefusedWhenItIsChanged) {
  std::mt19937 random(1);
  const int times = std::getenv("PLEAT_LONG") != nullptr ? 5000 : 100;
  for (const auto& [name, content] : inputs()) {
    for (int i = 0; i < times; ++i) ASSERT_NO_THROW(run(changed(content, random))) << name << " " << i;
  }
}

// In each sound file, each name for a dataset of another form, see result_target.cc.
TEST(ResultTargetTest, AnyDatasetMayHaveAnyForm) {
  constexpr char replace = 1;
  const std::vector<std::string> forms{{2, 0},           // uint16, one value
                                       {2, 1, 3},        // uint16 [2]
                                       {4, 2, 4, 1},     // float32 [3, 0]
                                       {4, 2, 3, 1},     // float32 [2, 0]
                                       {4, 2, 6, 1},     // float32 [5, 0]
                                       {7, 1, 4},        // text [3]
                                       {0, 1, 14},       // int64 [2^62]
                                       {0, 2, 13, 14}};  // int64 [2^40, 2^62]
  constexpr char most_names = 56;
  for (char file = 0; file < 4; ++file) {
    for (char name = 0; name < most_names; ++name) {
      for (const std::string& form : forms) {
        const std::string input = std::string{file, replace, name} + form;
        ASSERT_NO_THROW(result_reader(std::as_bytes(std::span(input)))) << int{file} << " " << int{name};
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Fuzz, CorpusTest, ::testing::ValuesIn(targets),
                         [](const auto& target) { return std::string(target.param.name); });

}  // namespace
}  // namespace pleat::fuzz
