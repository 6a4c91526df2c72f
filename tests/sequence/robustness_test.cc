// Whatever the bytes, reading ends in a sound Dataset or an Error.
#include <algorithm>
#include <random>

#include "temporary_files.h"

namespace pleat {
namespace {

class Robustness : public testing::TemporaryFiles {
 protected:
  // Reads and checks what is promised of every Dataset. Returns whether there was one.
  bool read_and_check(const std::string& name, const std::string& content, const ReadOptions& options) const {
    Dataset data;
    try {
      data = read(name, content, options);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::missing_input) << error.what();
      return false;
    }
    EXPECT_EQ(data.inputs.size(), 1U);
    EXPECT_EQ(data.sequences.all_residues().find_first_not_of(options.alphabet), std::string::npos);
    EXPECT_EQ(data.sequences.all_chains().size(), data.sequences.all_residues().size());
    for (const Record& record : data.records) {
      EXPECT_FALSE(record.id.empty());
      const bool accepted = record.status == RecordStatus::ok;
      EXPECT_EQ(record.sequence >= 0, accepted);
      EXPECT_LT(record.sequence, data.sequences.size());
      EXPECT_TRUE(accepted || !record.message.empty());
      EXPECT_EQ(record.message.empty(), record.error_code.empty());
      if (accepted) {
        EXPECT_GT(data.sequences.length(record.sequence), 0);
      }
    }
    return true;
  }
};

const std::vector<std::string>& names() {
  static const std::vector<std::string> all{"r.fasta", "r.csv", "r.tsv"};
  return all;
}

TEST_F(Robustness, RandomBytes) {
  std::mt19937 random(20240517);
  for (int round = 0; round < 600; ++round) {
    std::string content(random() % 400, '\0');
    for (char& c : content) c = static_cast<char>(random());
    for (const std::string& name : names()) {
      read_and_check(name, content, {});
      read_and_check(name + ".gz", content, {});
      read_and_check(name + ".gz", testing::gzip(content), {});
    }
  }
}

TEST_F(Robustness, RandomTextOfTheRightLetters) {
  std::mt19937 random(7);
  const std::string letters = ">>\n\n\n\r;:*-\"\"\",,\t ACDEFJjxk1\xC3\xA9\xFF";
  int sound = 0;
  for (int round = 0; round < 1500; ++round) {
    std::string body(random() % 200, '\0');
    for (char& c : body) c = letters[random() % letters.size()];
    const ReadOptions options{.strict = random() % 2 == 0,
                              .max_length = static_cast<std::int64_t>(random() % 30),
                              .share_duplicates = random() % 2 == 0};
    sound += static_cast<int>(read_and_check("r.fasta", ">a\n" + body, options));
    sound += static_cast<int>(read_and_check("r.csv", "id,sequence\na,MK\n" + body, options));
    sound += static_cast<int>(read_and_check("r.tsv", "id\tsequence\na\tMK\n" + body, options));
  }
  // Otherwise nothing but the errors would have been looked at.
  EXPECT_GT(sound, 1500);
}

TEST_F(Robustness, GzipWithOneByteChanged) {
  std::mt19937 random(99);
  std::string text;
  for (int i = 0; i < 30; ++i) text += ">r" + std::to_string(i) + "\nMKVLAAGIVGACDEFGH\n";
  const std::string whole = testing::gzip(text);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ static_cast<char>(1 + random() % 255));
    read_and_check("r.fasta.gz", changed, {});
  }
}

}  // namespace
}  // namespace pleat
