// Files as a whole: names, gzip, and what is not there or not text.
#include <sys/stat.h>
#include <unistd.h>

#include "temporary_files.h"
#include "test_data.h"

namespace pleat {
namespace {

using testing::expect_error;
using testing::gzip;
using Files = testing::TemporaryFiles;

TEST_F(Files, EveryExtensionIsReadPlainAndCompressed) {
  const std::string fasta = ">a x\nMK\nVL\n>b\nPP\n";
  for (const std::string name : {"a.fasta", "a.fa", "a.faa", "A.FASTA", "a.b.c.Fa"}) {
    EXPECT_EQ(read(name, fasta).sequences.all_residues(), "MKVLPP") << name;
    EXPECT_EQ(read(name + ".gz", gzip(fasta)).sequences.all_residues(), "MKVLPP") << name;
    EXPECT_EQ(read(name + ".GZ", gzip(fasta)).sequences.all_residues(), "MKVLPP") << name;
  }
  EXPECT_EQ(read("a.csv.gz", gzip("id,sequence\na,MK\n")).sequences.all_residues(), "MK");
  EXPECT_EQ(read("a.tsv.gz", gzip("id\tsequence\na\tMK\n")).sequences.all_residues(), "MK");
}

TEST_F(Files, SeveralFilesKeepTheirOrder) {
  const auto first = write("z.fasta", ">z\nMK\n>\nMV\n");
  const auto second = write("a.csv", "id,sequence\na,MV\n,ML\n");
  const Dataset data = read_inputs({first, second}, {});
  ASSERT_EQ(data.records.size(), 4U);
  EXPECT_EQ(data.records[0].id, "z");
  EXPECT_EQ(data.records[1].id, "unnamed_2");
  EXPECT_EQ(data.records[2].id, "a");
  EXPECT_EQ(data.records[2].sequence, 1);
  EXPECT_EQ(data.records[3].id, "unnamed_2");
}

TEST_F(Files, TheDemoProteinsAreCleanAndUnique) {
  const auto file = test_data() / "../../configs/demo/proteins.fasta";
  const Dataset data = read_inputs({file}, {.strict = true});
  EXPECT_EQ(data.records.size(), 24U);
  EXPECT_EQ(data.sequences.size(), 24);
  EXPECT_EQ(data.sequences.length(0), 20);
  EXPECT_EQ(data.sequences.length(23), 451);
  EXPECT_TRUE(data.warnings.empty());
  for (const Record& record : data.records) EXPECT_EQ(record.message, "") << record.id;
}

TEST_F(Files, OneEmptyFileAmongSeveralIsRefused) {
  const auto first = write("a.fasta", ">z\nMK\n");
  const auto second = write("b.fasta", "");
  expect_error(ErrorCode::bad_input, {"b.fasta", "no record"}, [&] { return read_inputs({first, second}, {}); });
}

TEST_F(Files, UnknownExtensionsAreRefusedWithAListOfKnownOnes) {
  for (const std::string name : {"a.txt", "a", "a.gz", "a.fasta.bz2", "fasta", ".fasta"}) {
    try {
      (void)read(name, ">a\nMK\n");
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_input);
      EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
      for (const std::string known : {".fasta", ".fa", ".faa", ".csv", ".tsv", ".gz"}) {
        EXPECT_NE(error.hint().find(known), std::string::npos) << error.hint();
      }
    }
  }
}

TEST_F(Files, MissingFilesAreRefusedBeforeAnyIsRead) {
  const auto broken = write("first.fasta", "no header\n");
  expect_error(ErrorCode::missing_input, {"none.fasta", "No such file"},
               [&] { return read_inputs({broken, folder() / "none.fasta"}, {}); });
}

TEST_F(Files, FoldersAndUnreadableFilesAreRefused) {
  std::filesystem::create_directory(folder() / "d.fasta");
  expect_error(ErrorCode::missing_input, {"d.fasta", "folder"},
               [&] { return read_inputs({folder() / "d.fasta"}, {}); });
  std::filesystem::create_symlink(folder() / "nowhere", folder() / "link.fasta");
  expect_error(ErrorCode::missing_input, {"link.fasta"}, [&] { return read_inputs({folder() / "link.fasta"}, {}); });
  std::filesystem::create_symlink(folder() / "loop.fasta", folder() / "loop.fasta");
  expect_error(ErrorCode::missing_input, {"loop.fasta"}, [&] { return read_inputs({folder() / "loop.fasta"}, {}); });
}

TEST_F(Files, AFileWithoutReadPermissionIsRefused) {
  const auto file = write("secret.fasta", ">a\nMK\n");
  std::filesystem::permissions(file, std::filesystem::perms::none);
  const uid_t user = ::geteuid();
  // Root reads everything; another user's eyes are needed to see the refusal.
  constexpr uid_t nobody = 65534;
  if (user == 0) {
    std::filesystem::permissions(folder(), std::filesystem::perms::all);
    ASSERT_EQ(::seteuid(nobody), 0);
  }
  expect_error(ErrorCode::missing_input, {"secret.fasta", "Permission denied"},
               [&] { return read_inputs({file}, {}); });
  ASSERT_EQ(::seteuid(user), 0);
}

TEST_F(Files, ConcatenatedGzipMembersAreOneFile) {
  const std::string members = gzip(">a\nMK") + gzip("") + gzip("VL\n>b") + gzip("\nPP\n");
  EXPECT_EQ(read("a.fasta.gz", members).sequences.all_residues(), "MKVLPP");
  EXPECT_EQ(read("a.fasta.gz", members + std::string(1000, '\0')).sequences.all_residues(), "MKVLPP");
}

TEST_F(Files, GzipCutAtAnyOffsetIsRefused) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += ">r" + std::to_string(i) + "\nMKVLAAGIVG" + std::string(i % 7U, 'W') + "\n";
  const std::string whole = gzip(text);
  EXPECT_EQ(read("a.fasta.gz", whole).records.size(), 40U);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    expect_error(ErrorCode::bad_input, {"cut.fasta.gz"},
                 [&] { return read("cut.fasta.gz", std::string_view(whole).substr(0, size)); });
  }
}

TEST_F(Files, GzipCutInItsSecondMemberIsRefused) {
  const std::string first = gzip(">a\nMK\n");
  const std::string second = gzip(">b\nMV\n");
  for (std::size_t size = 1; size < second.size(); ++size) {
    expect_error(ErrorCode::bad_input, {"cut.fasta.gz"},
                 [&] { return read("cut.fasta.gz", first + second.substr(0, size)); });
  }
}

TEST_F(Files, GzipThatIsNotGzipIsRefused) {
  expect_error(ErrorCode::bad_input, {"a.fasta.gz", "not valid gzip"}, [&] { return read("a.fasta.gz", ">a\nMK\n"); });
  expect_error(ErrorCode::bad_input, {"a.fasta.gz", "not valid gzip"},
               [&] { return read("a.fasta.gz", gzip(">a\nMK\n") + "and more"); });
  std::string wrong_checksum = gzip(">a\nMK\n");
  wrong_checksum[wrong_checksum.size() - 8] ^= 1;
  expect_error(ErrorCode::bad_input, {"a.fasta.gz", "not valid gzip"},
               [&] { return read("a.fasta.gz", wrong_checksum); });
}

TEST_F(Files, BinaryDataIsRefused) {
  const std::string fine = ">a\nMK\n";
  expect_error(ErrorCode::bad_input, {"a.fasta", "binary"}, [&] { return read("a.fasta", gzip(fine)); });
  expect_error(ErrorCode::bad_input, {"a.fasta", "binary"},
               [&] { return read("a.fasta", fine + std::string(1, '\0')); });
  expect_error(ErrorCode::bad_input, {"a.fasta", "binary"},
               [&] { return read("a.fasta", fine + std::string(1U << 20U, 'A') + '\0'); });
  expect_error(ErrorCode::bad_input, {"a.fasta", "binary"}, [&] { return read("a.fasta", ">a\x01\x02\x03\nMK\n"); });
  expect_error(ErrorCode::bad_input, {"a.csv", "binary"}, [&] {
    return read("a.csv",
                "\x7f"
                "ELF\x02\x01\x01");
  });
  expect_error(ErrorCode::bad_input, {"a.csv", "binary"},
               [&] { return read("a.csv", std::string("\xFF\xFEi\0d\0,\0", 8)); });
  expect_error(ErrorCode::bad_input, {"a.fasta.gz", "binary"},
               [&] { return read("a.fasta.gz", gzip(std::string(100, '\0'))); });
}

}  // namespace
}  // namespace pleat
