#include "journal/segment_store.h"

#include <gtest/gtest.h>

#include "store_fixture.h"

namespace pleat {
namespace {

using SegmentStoreTest = StoreTest;

std::vector<std::byte> bytes(std::size_t size, int value) {
  return std::vector<std::byte>(size, static_cast<std::byte>(value));
}

TEST_F(SegmentStoreTest, GivesBackWhatWasAppended) {
  SegmentStore store(in_folder(""));
  const std::vector<std::byte> first = bytes(10, 1);
  const std::vector<std::byte> second = bytes(100000, 2);
  const std::vector<std::byte> none;
  const std::vector<std::span<const std::byte>> parts{first, none, second};
  store.append(7, parts);
  const std::uint64_t position = store.append(3, parts).position;

  std::vector<std::byte> record(3 * sizeof(PartHead) + first.size() + second.size());
  store.read(position, record);
  PartHead head;
  std::memcpy(&head, record.data(), sizeof(head));
  EXPECT_EQ(head.row, 3);
  EXPECT_EQ(head.part, 0U);
  EXPECT_EQ(head.bytes, 10U);
  EXPECT_EQ(head.crc32, crc32_of(first));
  std::memcpy(&head, record.data() + 2 * sizeof(PartHead) + first.size(), sizeof(head));
  EXPECT_EQ(head.part, 2U);
  EXPECT_EQ(head.bytes, second.size());
  EXPECT_TRUE(std::equal(second.begin(), second.end(), record.end() - static_cast<std::ptrdiff_t>(second.size())));
}

TEST_F(SegmentStoreTest, ReadsFromMoreSegmentsThanItKeepsOpen) {
  SegmentStore store(in_folder(""), 1);
  std::vector<std::uint64_t> positions;
  constexpr int segments = 150;
  for (int i = 0; i < segments; ++i) {
    const std::vector<std::byte> data = bytes(5, i);
    const std::vector<std::span<const std::byte>> parts{data};
    positions.push_back(store.append(i, parts).position);
  }
  EXPECT_EQ(listing().size(), 150U);
  for (int turn = 0; turn < 2; ++turn) {
    for (int i = segments - 1; i >= 0; --i) {
      std::vector<std::byte> data(5);
      store.read(positions[static_cast<std::size_t>(i)] + sizeof(PartHead), data);
      EXPECT_EQ(data, bytes(5, i));
    }
  }
}

TEST_F(SegmentStoreTest, ReadingBeyondTheEndIsAnError) {
  SegmentStore store(in_folder(""));
  const std::vector<std::byte> data = bytes(5, 1);
  const std::vector<std::span<const std::byte>> parts{data};
  const std::uint64_t position = store.append(0, parts).position;
  std::vector<std::byte> record(sizeof(PartHead) + 6);
  const Error error = error_of([&] { store.read(position, record); });
  EXPECT_EQ(error.code(), ErrorCode::io);
  EXPECT_NE(std::string(error.what()).find("segment-0000.bin"), std::string::npos) << error.what();
}

TEST(SegmentNameTest, KnowsItsOwnFiles) {
  EXPECT_EQ(SegmentStore::file_name(3), "pleat-segment-0003.bin");
  EXPECT_EQ(SegmentStore::file_name(12345), "pleat-segment-12345.bin");
  EXPECT_TRUE(SegmentStore::is_segment("pleat-segment-0003.bin"));
  EXPECT_TRUE(SegmentStore::is_segment("pleat-segment-12345.bin"));
  for (const char* name : {"pleat-segment-3.bin", "pleat-segment-00a3.bin", "pleat-segment-.bin",
                           "pleat-segment-0003.bin2", "my-pleat-segment-0003.bin", "segment-0003.bin", ""}) {
    EXPECT_FALSE(SegmentStore::is_segment(name)) << name;
  }
}

}  // namespace
}  // namespace pleat
