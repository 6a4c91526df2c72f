// Zip archives that no torch.save writes.
#include <functional>
#include <random>

#include "model_files.h"
#include "torch_files.h"
#include "weights/torch_zip.h"

namespace pleat {
namespace {

std::map<std::string, TensorView> parse(const std::string& bytes) {
  return parse_torch_zip(std::as_bytes(std::span(bytes)), "pytorch_model.bin");
}

struct Damage {
  const char* name;
  std::function<void(ZipFile&)> make;
  const char* text;
};

void PrintTo(const Damage& damage, std::ostream* out) { *out << damage.name; }

class HostileZip : public testing::TestWithParam<Damage> {};

TEST_P(HostileZip, IsRefused) {
  ZipFile file = small_torch_file();
  GetParam().make(file);
  const std::string message = expect_error(ErrorCode::bad_input, GetParam().text, [&] { return parse(file.bytes); });
  EXPECT_THAT(message, testing::StartsWith("'pytorch_model.bin': "));
}

const std::string stored = "m/data/0";

// Overwrites a number of the storage's entry in the directory, or of its local header.
std::function<void(ZipFile&)> central(std::size_t at, std::uint64_t number, std::size_t size) {
  return [=](ZipFile& file) { file.put(file.central.at(stored) + at, number, size); };
}
std::function<void(ZipFile&)> local(std::size_t at, std::uint64_t number, std::size_t size) {
  return [=](ZipFile& file) { file.put(file.local.at(stored) + at, number, size); };
}
std::function<void(ZipFile&)> end(std::size_t at, std::uint64_t number, std::size_t size) {
  return [=](ZipFile& file) { file.put(file.end + at, number, size); };
}
std::function<void(ZipFile&)> end64(std::size_t at, std::uint64_t number, std::size_t size) {
  return [=](ZipFile& file) { file.put(file.end64 + at, number, size); };
}
std::function<void(ZipFile&)> locator(std::size_t at, std::uint64_t number, std::size_t size) {
  return [=](ZipFile& file) { file.put(file.end64 + 56 + at, number, size); };
}
// The storage under another name of the same length.
std::function<void(ZipFile&)> renamed(const std::string& name) {
  return [=](ZipFile& file) {
    file.bytes.replace(file.central.at(stored) + 46, name.size(), name);
    file.bytes.replace(file.local.at(stored) + 30, name.size(), name);
  };
}
std::function<void(ZipFile&)> whole(const std::string& bytes) {
  return [=](ZipFile& file) { file.bytes = bytes; };
}

std::string name_of_case(const testing::TestParamInfo<Damage>& test) { return test.param.name; }

INSTANTIATE_TEST_SUITE_P(
    Container, HostileZip,
    testing::ValuesIn(std::vector<Damage>{
        {"empty", whole(""), "the file is empty"},
        {"no_zip", whole("<!DOCTYPE html>"), "no file of torch.save"},
        {"git_lfs", whole("version https://git-lfs.github.com/spec/v1\n"), "a pointer of Git LFS"},
        {"two_letters", whole("PK"), "no zip directory at the end"},
        {"zeros", whole("PK" + std::string(5000, '\0')), "no zip directory at the end"},
        {"cut_short", [](ZipFile& file) { file.bytes.pop_back(); }, "no zip directory at the end"},
        {"half", [](ZipFile& file) { file.bytes.resize(file.bytes.size() / 2); }, "no zip directory"},
        {"more_at_the_end", [](ZipFile& file) { file.bytes += 'x'; }, "no zip directory at the end"},
        {"more_at_the_start", [](ZipFile& file) { file.bytes.insert(0, "PK\x03\x04"); }, "not where"},
        {"comment",
         [](ZipFile& file) {
           file.put(file.end + 20, 3, 2);
           file.bytes += "abc";
         },
         "no zip directory at the end"},
        {"comment_said", end(20, 3, 2), "ends in a comment"},
        {"several_disks", end(4, 1, 2), "one of several disks"},
        {"entries_elsewhere", end(8, 1, 2), "one of several disks"}}),
    name_of_case);

INSTANTIATE_TEST_SUITE_P(Directory, HostileZip,
                         testing::ValuesIn(std::vector<Damage>{
                             {"offset_too_small",
                              [](ZipFile& file) {
                                file.put(file.end + 16, file.directory - 1, 4);
                                file.put(file.end64 + 48, file.directory - 1, 8);
                              },
                              "directory is not where"},
                             {"offset_outside",
                              [](ZipFile& file) {
                                file.put(file.end + 16, 0xffffffff, 4);
                                file.put(file.end64 + 48, ~0ULL, 8);
                              },
                              "directory is not where"},
                             {"size_outside",
                              [](ZipFile& file) {
                                file.put(file.end + 12, 0xffffffff, 4);
                                file.put(file.end64 + 40, ~0ULL, 8);
                              },
                              "directory is not where"},
                             {"records_disagree_on_the_offset", end(16, 7, 4), "two last records disagree"},
                             {"records_disagree_on_the_size", end64(40, 7, 8), "two last records disagree"},
                             {"count_too_large",
                              [](ZipFile& file) {
                                for (const std::size_t at : {8U, 10U}) file.put(file.end + at, 9, 2);
                                for (const std::size_t at : {24U, 32U}) file.put(file.end64 + at, 9, 8);
                              },
                              "holds 3 entries, not the 9"},
                             {"count_too_small",
                              [](ZipFile& file) {
                                for (const std::size_t at : {8U, 10U}) file.put(file.end + at, 1, 2);
                                for (const std::size_t at : {24U, 32U}) file.put(file.end64 + at, 1, 8);
                              },
                              "holds 3 entries, not the 1"},
                             {"count_of_2_64",
                              [](ZipFile& file) {
                                for (const std::size_t at : {8U, 10U}) file.put(file.end + at, 0xffff, 2);
                                for (const std::size_t at : {24U, 32U}) file.put(file.end64 + at, ~0ULL, 8);
                              },
                              "holds 3 entries, not the 18446744073709551615"},
                             {"zip64_elsewhere", locator(8, 0, 8), "zip64 record is not where"},
                             {"zip64_outside", locator(8, ~0ULL, 8), "zip64 record is not where"},
                             {"zip64_damaged", end64(0, 0, 4), "zip64 record is damaged"},
                             {"zip64_longer", end64(4, 60, 8), "zip64 record is damaged"},
                             {"zip64_several_disks", end64(16, 1, 4), "one of several disks"},
                             {"zip64_entries_elsewhere", end64(24, 2, 8), "one of several disks"},
                             {"zip64_locator_on_another_disk", locator(4, 1, 4), "one of several disks"},
                             {"zip64_needed_and_missing",
                              [](ZipFile& file) {
                                file.put(file.end + 16, 0xffffffff, 4);
                                file.put(file.end64 + 56, 0, 4);
                              },
                              "lacks the record of sizes beyond 4 GB"},
                             {"entry_damaged", central(0, 0, 4), "directory is damaged"},
                             {"name_too_long", central(28, 0xffff, 2), "ends inside an entry"},
                             {"extra_too_long", central(30, 0xffff, 2), "ends inside an entry"},
                             {"comment_too_long", central(32, 0xffff, 2), "ends inside an entry"},
                             {"name_empty", central(28, 0, 2), "a file named ''"}}),
                         name_of_case);

INSTANTIATE_TEST_SUITE_P(
    Entry, HostileZip,
    testing::ValuesIn(std::vector<Damage>{
        {"compressed", central(10, 8, 2), "'m/data/0' is compressed"},
        {"sizes_differ", central(20, 7, 4), "'m/data/0' is compressed"},
        {"encrypted", central(8, 1, 2), "'m/data/0' is encrypted"},
        {"on_another_disk", central(34, 1, 2), "one of several disks"},
        {"size_of_zip64_without_field", central(24, 0xffffffff, 4), "lacks its size or place beyond 4 GB"},
        {"place_of_zip64_without_field", central(42, 0xffffffff, 4), "lacks its size or place beyond 4 GB"},
        {"place_in_the_directory", [](ZipFile& file) { central(42, file.directory, 4)(file); }, "is not where"},
        {"place_outside", central(42, 0xfffffffe, 4), "'m/data/0' is not where"},
        {"place_inside_another", central(42, 1, 4), "'m/data/0' is not where"},
        {"place_of_another", central(42, 0, 4), "the header of 'm/data/0' disagree"},
        {"larger_than_the_file",
         [](ZipFile& file) {
           central(20, 0xfffffff0, 4)(file);
           central(24, 0xfffffff0, 4)(file);
           local(18, 0xfffffff0, 4)(file);
           local(22, 0xfffffff0, 4)(file);
         },
         "'m/data/0' is not where"},
        {"into_the_next_file",
         [](ZipFile& file) {
           for (const std::size_t at : {20U, 24U}) central(at, 40, 4)(file);
           for (const std::size_t at : {18U, 22U}) local(at, 40, 4)(file);
         },
         "'m/data/0' and 'm/version' overlap"},
        {"local_header_damaged", local(0, 0, 4), "'m/data/0' is not where"},
        {"local_method", local(8, 8, 2), "the header of 'm/data/0' disagree"},
        {"local_flags", local(6, 1, 2), "the header of 'm/data/0' disagree"},
        {"local_size", local(22, 4, 4), "the header of 'm/data/0' disagree"},
        {"local_size_missing", local(22, 0, 4), "the header of 'm/data/0' disagree"},
        {"local_name", [](ZipFile& file) { file.bytes[file.local.at(stored) + 30] = 'x'; }, "disagree"},
        {"local_name_too_long", local(26, 0xffff, 2), "'m/data/0' is not where"},
        {"local_extra_too_long", local(28, 0xffff, 2), "'m/data/0' is not where"},
        {"name_upwards", renamed("../ata/0"), "a file named '../ata/0'"},
        {"name_upwards_inside", renamed("m/../a/0"), "a file named 'm/../a/0'"},
        {"name_of_the_root", renamed("/m/ata/0"), "a file named '/m/ata/0'"},
        {"name_of_a_folder", renamed("m/data0/"), "a file named 'm/data0/'"},
        {"name_with_a_backslash", renamed("m\\data/0"), "a file named 'm\\data/0'"},
        {"name_with_a_drive", renamed("C:/ata/0"), "a file named 'C:/ata/0'"},
        {"name_with_a_zero", renamed(std::string("m/data\0000", 8)), "a file named 'm/data?0'"}}),
    name_of_case);

TEST(HostileZips, AFileListedTwiceIsRefused) {
  const auto file =
      torch_file(pickled::one_tensor(), {{"0", "abcdefgh"}}, {{"m/version", "3\n"}, {"m/data/0", "ijklmnop"}});
  expect_error(ErrorCode::bad_input, "lists 'm/data/0' twice", [&] { return parse(file.bytes); });
}

TEST(HostileZips, WhatTheArchiveSaysOfItselfIsChecked) {
  const auto refused = [](const std::vector<std::pair<std::string, std::string>>& others, const char* text) {
    const auto file = torch_file(pickled::one_tensor(), {{"0", "abcdefgh"}}, others);
    expect_error(ErrorCode::bad_input, text, [&] { return parse(file.bytes); });
  };
  const std::pair<std::string, std::string> version{"m/version", "3\n"};
  refused({}, "holds no version");
  refused({{"m/version", "three"}}, "of version 'three'");
  refused({{"m/version", ""}}, "of version ''");
  refused({version, {"m/byteorder", "big"}}, "its byte order is 'big'");
  refused({version, {"m/constants.pkl", ""}}, "a program (TorchScript)");
  refused({version, {"other/data.pkl", pickled::one_tensor()}}, "more than one data.pkl");
  EXPECT_EQ(
      parse(torch_file(pickled::one_tensor(), {{"0", "abcdefgh"}}, {version, {"m/byteorder", "little"}}).bytes).size(),
      1U);
  expect_error(ErrorCode::bad_input, "no data.pkl", [&] { return parse(zip({version}).bytes); });
  expect_error(ErrorCode::bad_input, "no data.pkl", [&] { return parse(zip({}).bytes); });
  expect_error(ErrorCode::bad_input, "no data.pkl",
               [&] { return parse(zip({version, {"data.pkl", pickled::one_tensor()}}).bytes); });
}

TEST(HostileZips, EveryBeginningIsRefused) {
  const std::string bytes = small_torch_file().bytes;
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    expect_error(ErrorCode::bad_input, "", [&] { return parse(bytes.substr(0, length)); });
  }
}

TEST(HostileZips, RandomDamageNeverCrashes) {
  const std::string bytes = small_torch_file().bytes;
  std::mt19937 random(11);
  std::size_t refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string damaged = bytes;
    for (int i = 0; i <= round % 4; ++i) {
      // Numbers near the ends of their range find more than random ones do.
      constexpr std::array<int, 5> interesting{0, 1, 0x7f, 0x80, 0xff};
      const auto byte =
          round % 2 == 0 ? interesting.at(random() % interesting.size()) : static_cast<int>(random() & 0xff);
      damaged[random() % damaged.size()] = static_cast<char>(byte);
    }
    try {
      for (const auto& [name, tensor] : parse(damaged)) ASSERT_LE(tensor.data.size(), damaged.size());
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::bad_input) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 10'000U);
}

}  // namespace
}  // namespace pleat
