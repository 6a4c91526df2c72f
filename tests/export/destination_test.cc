// Whether an output is a stream, a file, an archive or a folder.
#include "export/destination.h"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>

#include "core/error.h"
#include "core/scratch_folder.h"

namespace pleat {
namespace {

constexpr std::array<std::string_view, 2> fasta{".fasta", ".fa"};

TEST(DestinationTest, GoesByTheName) {
  EXPECT_EQ(destination_of("-", fasta), Destination::stream);
  for (const char* archive : {"a.tar", "a.TAR.gz", "folder.d/a.tgz", "a.fasta.tar.gz"}) {
    EXPECT_EQ(destination_of(archive, fasta), Destination::archive) << archive;
  }
  for (const char* file : {"a.fasta", "b/a.1.FA"}) EXPECT_EQ(destination_of(file, fasta), Destination::file) << file;
  for (const char* folder : {"out", "v1.2", "a.fasta/", "out.structures", "x/.fasta", ".", ".."}) {
    EXPECT_EQ(destination_of(folder, fasta), Destination::folder) << folder;
  }
}

TEST(DestinationTest, RefusesOtherFiles) {
  for (const char* other : {"a.zip", "a.fasta.gz", "a.pdb", "results.h5", "a.tar.zst"}) {
    try {
      static_cast<void>(destination_of(other, fasta));
      ADD_FAILURE() << other;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::usage) << other;
      EXPECT_NE(error.hint().find(".tar.gz"), std::string::npos);
    }
  }
}

TEST(DestinationTest, AFolderThatIsThereIsOne) {
  const ScratchFolder scratch;
  for (const char* name : {"a.fasta", "b.tar.gz", "c.zip"}) {
    std::filesystem::create_directory(scratch.path() / name);
    EXPECT_EQ(destination_of(scratch.path() / name, fasta), Destination::folder) << name;
  }
}

}  // namespace
}  // namespace pleat
