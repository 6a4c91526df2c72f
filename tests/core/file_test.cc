#include "core/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <utility>
#include <vector>

#include "scratch_folder.h"

namespace pleat {
namespace {

using ::testing::HasSubstr;

// The code of the Error that `act` throws; its text is added to `what`.
ErrorCode code_of(const std::function<void()>& act, std::string* what = nullptr, std::string* hint = nullptr) {
  try {
    act();
  } catch (const Error& error) {
    if (what != nullptr) *what = error.what();
    if (hint != nullptr) *hint = error.hint();
    return error.code();
  }
  ADD_FAILURE() << "no error";
  return ErrorCode::internal;
}

std::string text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

TEST(MappedFile, ShowsTheWholeFile) {
  const ScratchFolder folder;
  std::string content(10000, 'a');
  content[9999] = 'z';
  EXPECT_EQ(text_of(MappedFile(folder.write("f", content))), content);
}

TEST(MappedFile, AnEmptyFileHasNoBytes) {
  const ScratchFolder folder;
  const MappedFile file(folder.write("f", ""));
  EXPECT_TRUE(file.bytes().empty());
  file.drop_pages(0, 0);
}

TEST(MappedFile, Moves) {
  const ScratchFolder folder;
  MappedFile first(folder.write("f", "first"));
  MappedFile second(folder.write("g", "second"));
  MappedFile moved(std::move(first));
  EXPECT_EQ(text_of(moved), "first");
  moved = std::move(second);
  EXPECT_EQ(text_of(moved), "second");
}

TEST(MappedFile, ReadsPartsPastTheMapping) {
  const ScratchFolder folder;
  const MappedFile file(folder.write("f", "0123456789"));
  std::array<std::byte, 4> part{};
  file.read_at(6, part);
  EXPECT_EQ(part[0], std::byte{'6'});
  EXPECT_EQ(part[3], std::byte{'9'});
  file.throw_if_changed();
}

// Through the mapping this would end the process.
TEST(MappedFile, AFileThatBecomesShorterIsAnError) {
  const ScratchFolder folder;
  const std::filesystem::path path = folder.write("f", std::string(100000, 'a'));
  const MappedFile file(path);
  std::filesystem::resize_file(path, 50000);
  std::vector<std::byte> part(60000);
  std::string what;
  EXPECT_EQ(code_of([&] { file.read_at(40000, part); }, &what), ErrorCode::bad_input);
  EXPECT_THAT(what, HasSubstr("changed while it was read"));
}

TEST(MappedFile, AFileThatIsWrittenToHasChanged) {
  const ScratchFolder folder;
  const std::filesystem::path path = folder.write("f", "first");
  const MappedFile file(path);
  std::filesystem::last_write_time(path, std::filesystem::last_write_time(path) + std::chrono::milliseconds(1));
  EXPECT_EQ(code_of([&] { file.throw_if_changed(); }), ErrorCode::bad_input);
}

TEST(MappedFile, DroppedPagesAreReadAgain) {
  const ScratchFolder folder;
  std::string content;
  for (int i = 0; i < 40000; ++i) content += static_cast<char>('a' + i % 26);
  const MappedFile file(folder.write("f", content));
  EXPECT_EQ(text_of(file), content);
  file.drop_pages(0, content.size());
  file.drop_pages(5000, 10);
  file.drop_pages(39999, 1000000);
  EXPECT_EQ(text_of(file), content);
}

TEST(MappedFile, WhatCannotBeMapped) {
  const ScratchFolder folder;
  std::string what;
  EXPECT_EQ(code_of([&] { MappedFile(folder.path() / "none"); }, &what), ErrorCode::missing_input);
  EXPECT_THAT(what, HasSubstr((folder.path() / "none").string()));
  EXPECT_EQ(code_of([&] { MappedFile{folder.path()}; }, &what), ErrorCode::missing_input);
  EXPECT_THAT(what, HasSubstr("is not a file"));
}

TEST(RenameDurably, ReplacesTheTarget) {
  const ScratchFolder folder;
  const auto from = folder.write("r.h5.partial", "new");
  const auto to = folder.write("r.h5", "old");
  fsync_path(from);
  rename_durably(from, to);
  EXPECT_FALSE(std::filesystem::exists(from));
  EXPECT_EQ(read_text_file(to), "new");
}

TEST(RenameDurably, TakesNamesWithoutAFolder) {
  const ScratchFolder folder;
  const std::filesystem::path before = std::filesystem::current_path();
  static_cast<void>(folder.write("a", "text"));
  std::filesystem::current_path(folder.path());
  EXPECT_NO_THROW(rename_durably("a", "b"));
  std::filesystem::current_path(before);
  EXPECT_EQ(read_text_file(folder.path() / "b"), "text");
}

TEST(RenameDurably, AFailureLeavesTheFile) {
  const ScratchFolder folder;
  const auto from = folder.write("a", "text");
  EXPECT_EQ(code_of([&] { rename_durably(from, folder.path() / "none" / "b"); }), ErrorCode::io);
  EXPECT_EQ(read_text_file(from), "text");
  EXPECT_EQ(code_of([&] { rename_durably(folder.path() / "none", from); }), ErrorCode::io);
  EXPECT_EQ(read_text_file(from), "text");
}

TEST(FsyncPath, TakesFilesAndFolders) {
  const ScratchFolder folder;
  EXPECT_NO_THROW(fsync_path(folder.path()));
  EXPECT_NO_THROW(fsync_path(folder.write("f", "text")));
  EXPECT_EQ(code_of([&] { fsync_path(folder.path() / "none"); }), ErrorCode::io);
}

TEST(ReadTextFile, GivesTheBytesAsTheyAre) {
  const ScratchFolder folder;
  const std::string content("a\r\n\0b\xff", 6);
  EXPECT_EQ(read_text_file(folder.write("f", content)), content);
  EXPECT_EQ(read_text_file(folder.write("g", "")), "");
}

TEST(ReadTextFile, WhatCannotBeRead) {
  const ScratchFolder folder;
  std::string what;
  EXPECT_EQ(code_of([&] { static_cast<void>(read_text_file(folder.path() / "none")); }, &what),
            ErrorCode::missing_input);
  EXPECT_THAT(what, HasSubstr(std::strerror(ENOENT)));
  EXPECT_EQ(code_of([&] { static_cast<void>(read_text_file(folder.path())); }, &what), ErrorCode::missing_input);
  EXPECT_THAT(what, HasSubstr("is a folder"));
  // A file that opens and then fails, as one on a broken disk does: nothing is mapped at address 0.
  EXPECT_EQ(code_of([&] { static_cast<void>(read_text_file("/proc/self/mem")); }, &what), ErrorCode::missing_input);
  EXPECT_THAT(what, HasSubstr("to its end"));
}

TEST(ThrowSystemError, NamesActionPathAndReason) {
  std::string what;
  EXPECT_EQ(code_of([] { throw_system_error(EACCES, "open", "/x/y", ErrorCode::cannot_create); }, &what),
            ErrorCode::cannot_create);
  EXPECT_EQ(what, std::string("cannot open '/x/y': ") + std::strerror(EACCES));
}

TEST(ThrowSystemError, AFullDiskIsWorthRetrying) {
  // Each limit has its own way out.
  for (const auto& [number, words] : {std::pair{ENOSPC, "make room"}, {EDQUOT, "quota"}, {EFBIG, "ulimit -f"}}) {
    std::string hint;
    EXPECT_EQ(code_of([number = number] { throw_system_error(number, "write", "/x", ErrorCode::io); }, nullptr, &hint),
              ErrorCode::retry);
    EXPECT_THAT(hint, HasSubstr(words));
  }
}

}  // namespace
}  // namespace pleat
