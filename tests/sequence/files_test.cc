// Files as a whole: names, gzip, and what is not there or not text.
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "core/sha256.h"
#include "temporary_files.h"
#include "test_data.h"

namespace pleat {
namespace {

using testing::expect_error;
using testing::gzip;
using Files = testing::TemporaryFiles;

TEST_F(Files, TheNameSaysNothing) {
  const std::string fasta = ">a x\nMK\nVL\n>b\nPP\n";
  for (const std::string name : {"a.fasta", "a.fas", "a.pep", "a", "a.csv", "A.HTML", "a.txt.bgz", "a.tar.gz"}) {
    for (const Dataset& data : {read(name, fasta), read(name, gzip(fasta))}) {
      EXPECT_EQ(data.sequences.all_residues(), "MKVLPP") << name;
      ASSERT_EQ(data.inputs.size(), 1U);
      EXPECT_EQ(data.inputs[0].records, 2);
      EXPECT_EQ(data.inputs[0].problem, "");
    }
  }
  for (const std::string name : {"a.csv", "a.fasta", "a"}) {
    EXPECT_EQ(read(name, gzip("id,sequence\na,MK\n")).sequences.all_residues(), "MK");
    EXPECT_EQ(read(name, "id\tsequence\na\tMK\n").sequences.all_residues(), "MK");
  }
}

TEST_F(Files, ReportsWhatWasRead) {
  const std::string text = ">a\nMK\n>b\nM-\n";
  const Dataset plain = read("a.fasta", text);
  ASSERT_EQ(plain.inputs.size(), 1U);
  EXPECT_EQ(plain.inputs[0].path, (folder() / "a.fasta").string());
  EXPECT_EQ(plain.inputs[0].bytes, static_cast<std::int64_t>(text.size()));
  EXPECT_EQ(plain.inputs[0].sha256, sha256_of(text));
  EXPECT_EQ(plain.inputs[0].records, 2);
  EXPECT_EQ(plain.inputs[0].format, "fasta");
  const std::string packed = gzip("id,sequence\na,MK\n");
  const Dataset compressed = read("a.csv", packed);
  EXPECT_EQ(compressed.inputs[0].sha256, sha256_of(packed));
  EXPECT_EQ(compressed.inputs[0].format, "table, gzip");
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
  EXPECT_EQ(data.records[3].error_code, RecordCode::missing_value);
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

TEST_F(Files, AnInputWithoutRecordsIsNoFault) {
  for (const std::string content :
       {"", "\n \n", "; only a comment\n", "id,sequence\n", "\xEF\xBB\xBF", "# nothing\n"}) {
    const auto first = write("a.fasta", ">z\nMK\n");
    const auto second = write("b.fasta", content);
    const Dataset data = read_inputs({first, second}, {});
    EXPECT_EQ(data.records.size(), 1U);
    EXPECT_EQ(data.inputs[1].problem, input_problem::empty);
    EXPECT_FALSE(data.inputs[1].is_bad());
    ASSERT_EQ(data.warnings.size(), 1U);
    EXPECT_NE(data.warnings[0].find("b.fasta' holds no record"), std::string::npos) << data.warnings[0];
    EXPECT_TRUE(read_inputs({second}, {}).records.empty());
  }
}

TEST_F(Files, WhatIsGoodBesideBadInputsIsTaken) {
  const auto broken = write("first.fasta", "no header\n");
  const auto good = write("good.fasta", ">a\nMK\n");
  const Dataset data = read_inputs({broken, folder() / "none.fasta", good}, {});
  EXPECT_EQ(data.sequences.all_residues(), "MK");
  ASSERT_EQ(data.inputs.size(), 3U);
  EXPECT_EQ(data.inputs[0].problem, input_problem::unknown);
  EXPECT_EQ(data.inputs[1].problem, input_problem::missing);
  EXPECT_NE(data.inputs[1].message.find("No such file"), std::string::npos);
  EXPECT_EQ(data.inputs[1].sha256, "");
  EXPECT_EQ(data.inputs[2].problem, "");
  const InputSurvey survey = survey_inputs({broken, folder() / "none.fasta", good}, {});
  EXPECT_EQ(survey.records, 1);
  EXPECT_EQ(survey.inputs.size(), 3U);
  expect_error(ErrorCode::missing_input, {"none of the 2 inputs", "no header"},
               [&] { return read_inputs({broken, folder() / "none.fasta"}, {}); });
}

TEST_F(Files, AFileOfAFolderThatHoldsNoSequencesIsPassedOver) {
  InputFile readme(write("README", "Please read me.\n"));
  readme.from_folder = true;
  const Dataset data = read_inputs({readme, write("good.fasta", ">a\nMK\n")}, {});
  EXPECT_EQ(data.inputs.size(), 1U);
  ASSERT_EQ(data.warnings.size(), 1U);
  EXPECT_NE(data.warnings[0].find("passed over: "), std::string::npos);
  expect_error(ErrorCode::missing_input, {"no input that holds sequences"}, [&] { return read_inputs({readme}, {}); });
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

// What of a cut file may be taken: records of the whole one, and at most the last of them rejected.
void expect_start_of(const Dataset& cut, const Dataset& whole) {
  ASSERT_LE(cut.records.size(), whole.records.size());
  for (std::size_t i = 0; i < cut.records.size(); ++i) {
    if (i + 1 == cut.records.size()) {
      EXPECT_EQ(cut.records[i].error_code, RecordCode::cut_off);
      continue;
    }
    EXPECT_EQ(cut.records[i].id, whole.records[i].id);
    EXPECT_EQ(cut.sequences.residues(cut.records[i].sequence), whole.sequences.residues(whole.records[i].sequence));
  }
  ASSERT_EQ(cut.inputs.size(), 1U);
  EXPECT_EQ(cut.inputs[0].problem, input_problem::cut_off);
}

TEST_F(Files, GzipCutAtAnyOffsetGivesTheRecordsBefore) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += ">r" + std::to_string(i) + "\nMKVLAAGIVG" + std::string(i % 7U, 'W') + "\n";
  std::string table = "id,sequence\n";
  for (int i = 0; i < 40; ++i) table += "r" + std::to_string(i) + ",MKVLAAGIVG" + std::string(i % 7U, 'W') + "\n";
  for (const std::string& content : {text, table}) {
    const std::string packed = gzip(content.substr(0, content.size() / 2)) + gzip(content.substr(content.size() / 2));
    const Dataset whole = read("a.fasta.gz", packed);
    EXPECT_EQ(whole.records.size(), 40U);
    std::size_t read_in_part = 0;
    for (std::size_t size = 3; size < packed.size(); ++size) {
      try {
        const Dataset cut = read("cut.fasta.gz", std::string_view(packed).substr(0, size));
        // Between two members nothing tells that more was to come.
        if (cut.inputs[0].problem.empty()) continue;
        if (content == text) expect_start_of(cut, whole);
        EXPECT_TRUE(cut.inputs[0].is_bad());
        ++read_in_part;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::missing_input);
      }
    }
    EXPECT_GT(read_in_part, packed.size() / 4);
  }
}

TEST_F(Files, OfDamagedGzipNothingIsTaken) {
  const auto good = write("good.fasta", ">g\nPP\n");
  std::string wrong_checksum = gzip(">a\nMK\n");
  wrong_checksum[wrong_checksum.size() - 8] ^= 1;
  const Dataset data = read_inputs({write("a.fasta.gz", wrong_checksum), good}, {});
  EXPECT_EQ(data.records.size(), 1U);
  EXPECT_EQ(data.sequences.all_residues(), "PP");
  EXPECT_EQ(data.inputs[0].problem, input_problem::damaged);
  EXPECT_EQ(data.inputs[0].records, 0);
  EXPECT_NE(data.inputs[0].message.find("not valid gzip"), std::string::npos);
  expect_error(ErrorCode::missing_input, {"a.fasta.gz", "not valid gzip"},
               [&] { return read("a.fasta.gz", wrong_checksum); });
  // A sequence that an earlier file has too stays.
  const Dataset shared = read_inputs({good, write("b.gz",
                                                  [&] {
                                                    std::string bad = gzip(">x\nPP\n>y\nMK\n");
                                                    bad[bad.size() - 8] ^= 1;
                                                    return bad;
                                                  }())},
                                     {});
  EXPECT_EQ(shared.records.size(), 1U);
  EXPECT_EQ(shared.sequences.all_residues(), "PP");
}

TEST_F(Files, WhatFollowsGzipHarmsOnlyTheLastRecord) {
  const Dataset data = read("a.fasta.gz", gzip(">a\nMK\n>b\nMV\n") + "and more");
  ASSERT_EQ(data.records.size(), 2U);
  EXPECT_EQ(data.records[0].status, RecordStatus::ok);
  EXPECT_EQ(data.records[1].error_code, RecordCode::cut_off);
}

struct Packed {
  const char* name;
  const char* hexadecimal;
};

std::string bytes_of(std::string_view hexadecimal) {
  std::string bytes;
  for (std::size_t i = 0; i < hexadecimal.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hexadecimal.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

// ">a\nMKVLAAGIVGACDEFGHIKLMNPQRSTVWY\n>b\nPP\n" from the programs themselves.
constexpr std::array packed_files{
    Packed{"bzip2",
           "425a6839314159265359a7287ba40000024f00001000012fef7da0300020003141a346832034220340d1a03263c8b0032985"
           "2b64bc470d3d0e88a197eddcefab44b2a87c5dc914e142429ca1ee90"},
    Packed{"xz",
           "fd377a585a000004e6d6b4460200210116000000742fe5a30100273e610a4d4b564c41414749564741434445464748494b4c"
           "4d4e50515253545657590a3e620a50500a00c929830086c4ba7b00014028d4524ae51fb6f37d010000000004595a"},
    Packed{"zstd",
           "28b52ffd04584101003e610a4d4b564c41414749564741434445464748494b4c4d4e50515253545657590a3e620a50500a89"
           "415f37"}};

TEST_F(Files, OtherCompressionsAreRead) {
  for (const Packed& packed : packed_files) {
    const std::string bytes = bytes_of(packed.hexadecimal);
    const Dataset data = read("any.name", bytes);
    EXPECT_EQ(data.sequences.all_residues(), "MKVLAAGIVGACDEFGHIKLMNPQRSTVWYPP") << packed.name;
    EXPECT_EQ(data.inputs[0].format, std::string("fasta, ") + packed.name);
    // Two of them, one after the other.
    EXPECT_EQ(read("two", bytes + bytes).records.size(), 4U) << packed.name;
    for (std::size_t size = 8; size < bytes.size(); ++size) {
      const auto good = write("good.fasta", ">g\nPP\n");
      const Dataset cut = read_inputs({write("cut", bytes.substr(0, size)), good}, {});
      EXPECT_TRUE(cut.inputs[0].is_bad()) << packed.name << " " << size;
      EXPECT_EQ(cut.records.back().id, "g");
    }
    std::string changed = bytes;
    changed[bytes.size() / 2] ^= 0x10;
    expect_error(ErrorCode::missing_input, {"changed"}, [&] { return read("changed", changed); });
  }
}

TEST_F(Files, ZstdMayBeginWithAFrameThatIsSkipped) {
  const std::string skipped("\x50\x2A\x4D\x18\x04\0\0\0abcd", 12);
  const std::string frame = bytes_of(
      "28b52ffd0458310000"
      "3e610a4d4b0a"
      "24374bdd");  // ">a\nMK\n"
  EXPECT_EQ(read("a.zst", skipped + frame).sequences.all_residues(), "MK");
}

TEST_F(Files, APipeIsReadOnce) {
  const auto pipe = folder() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::jthread writer([&] {
    std::ofstream out(pipe, std::ios::binary);
    out << ">a\n" << std::flush;
    out << "MK\n" << std::string(300'000, '\n') << ">b\nPP\n";
  });
  const Dataset data = read_inputs({pipe}, {});
  EXPECT_EQ(data.sequences.all_residues(), "MKPP");
  EXPECT_EQ(data.inputs[0].bytes, 300'012);
}

TEST_F(Files, WhatIsNoFileOfSequencesIsNamed) {
  struct Case {
    std::string content;
    std::string word;
  };
  const std::string reads = "@r1\nACGT\n+\nIIII\n";
  const Case cases[] = {
      {"\n<html><body>404</body></html>\n", "line 2: '<html><body>404</body></html>' looks like a web page"},
      {"\n\n  <!DOCTYPE html>\n", "line 3: '<!DOCTYPE html>' looks like a web page"},
      {"LOCUS       AAA40590  110 aa\nORIGIN\n", "GenBank"},
      {"ID   P12345_RABIT  Reviewed;\n", "UniProt"},
      {"HEADER    HYDROLASE\nATOM      1  N   MET A   1\n", "PDB"},
      {"data_1ABC\n_entry.id 1ABC\n", "mmCIF"},
      {"#7\t1\n>101\nMKTAYIA\n", "a3m"},
      {"#3,4\t1,1\n>101\nMKTAYIA\n", "a3m"},
      {"# STOCKHOLM 1.0\nx MK-\n", "Stockholm"},
      {"CLUSTAL W\n\nx MK-\n", "Clustal"},
      {reads, "FASTQ"},
      {std::string("PK\x03\x04", 4) + "xl/", "workbook"},
      {"\x7f"
       "ELF\x02\x01\x01",
       "a program"},
      {std::string("\xFF\xFE>\0a\0", 6), "UTF-16"},
      {std::string(100, '\0'), "binary"},
      {">a\x02\x03\x04\nMK\n", "binary"},
      {std::string("\xFF\xFE\0\0>\0\0\0", 8), "UTF-32"},
      {std::string(">\0a\0\n\0M\0K\0\n\0", 12), "UTF-16"},
      {std::string("\0>\0a\0\n\0M\0K\0\n", 12), "UTF-16"},
      {gzip(gzip(">a\nMK\n")), "compressed twice"},
      {std::string("\x04\x22\x4D\x18\x64\x40\xA7", 7), "lz4"},
      {"\x1F\x9D\x90>", "(.Z)"},
      {">P1;CRAB_ANAPL\nALPHA CRYSTALLIN B CHAIN\nMDITIH*\n", "PIR"},
      {" 2 10\nx         MKTAYIAKQR\n", "PHYLIP"},
      {"!!AA_MULTIPLE_ALIGNMENT 1.0\n", "MSF"},
      {"@HD\tVN:1.6\n@SQ\tSN:1\n", "SAM"},
      {"##fileformat=VCFv4.2\n", "VCF"},
      {"[{\"id\": 1}]\n", "JSON"},
      {"&gt;a\nMK\n", "'>' for '&gt;'"},
      {"MKTAYIAKQR\nMKTAYIAKQR\n", "a sequence without its header"},
      {"BLASTP 2.13.0+\n", "BLAST"},
      {"(a:1,b:2);\n", "a tree"},
      {"version https://git-lfs.github.com/spec/v1\n", "Git LFS"},
      {"version: 1\nmodel: x\n", "YAML"},
      {"\x83\xA7"
       "encoder\n",
       "'\xEF\xBF\xBD\xEF\xBF\xBD"
       "encoder' is neither"},
      {"MKTAYIA\n", "line 1: 'MKTAYIA' is neither a FASTA header nor the header of a table"},
      {"a,MKTAY\nb,GGGG\n", "no column for the id; the columns, divided by ',', are 'a', 'MKTAY'"},
      {"\xEF\xBB\xBFname;letters\na;MK\n",
       "no column for the sequence; the columns, divided by ';', are 'name', 'letters'"},
  };
  for (const Case& c : cases) {
    expect_error(ErrorCode::missing_input, {"a.fasta", c.word}, [&] { return read("a.fasta", c.content); });
    expect_error(ErrorCode::missing_input, {"a.fasta.gz", c.word}, [&] { return read("a.fasta.gz", gzip(c.content)); });
  }
}

TEST_F(Files, ANulIsBlamedOnItsRecordInAShortFileToo) {
  const Dataset data = read("a.fasta", std::string(">a\nM\0K\n>b\0c\nVL\n>d\nPP\n", 21));
  ASSERT_EQ(data.records.size(), 3U);
  EXPECT_EQ(data.records[0].message, "line 2 holds a NUL (byte 0x00)");
  EXPECT_EQ(data.records[1].message.substr(0, 30), "line 3 holds a NUL (byte 0x00)");
  EXPECT_EQ(data.sequences.all_residues(), "PP");
}

TEST_F(Files, ANulIsBlamedOnItsRecord) {
  std::string text = ">a\nMK\n>b\nMK\nA";
  text += std::string(1, '\0') + "C\n>c\nPP\n" + std::string(400, '\n');
  const Dataset data = read("a.fasta", text);
  ASSERT_EQ(data.records.size(), 3U);
  EXPECT_EQ(data.records[1].error_code, RecordCode::bad_residue);
  EXPECT_EQ(data.records[1].message, "line 5 holds a NUL (byte 0x00)");
  EXPECT_EQ(data.sequences.all_residues(), "MKPP");
  const Dataset table =
      read("a.csv", "id,sequence\na,MK\nb," + std::string(1, '\0') + "\nc,PP\n" + std::string(400, '\n'));
  EXPECT_EQ(table.records[1].message, "line 3: the line holds a NUL (byte 0x00)");
  EXPECT_EQ(table.sequences.all_residues(), "MKPP");
}

}  // namespace
}  // namespace pleat
