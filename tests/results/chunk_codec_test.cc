// The chunks are HDF5's own: what the library's filters accept and give back.
#include "hdf5/chunk_codec.h"

#include <gtest/gtest.h>
#include <hdf5.h>

#include <cstdint>
#include <vector>

#include "hdf5/fletcher32.h"
#include "store_fixture.h"

namespace pleat {
namespace {

std::vector<std::byte> noise(std::size_t size, std::uint32_t seed) {
  std::vector<std::byte> data(size);
  for (std::byte& byte : data) {
    seed = seed * 1664525U + 1013904223U;
    byte = static_cast<std::byte>(seed >> 24);
  }
  return data;
}

class ChunkCodecTest : public StoreTest {
 protected:
  // Lets the library filter `data` as one chunk of bytes and gives back what it stored.
  std::vector<std::byte> stored_by_library(const std::vector<std::byte>& data, bool checksum_only) {
    const hid_t file = H5Fcreate(in_folder("library.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hsize_t size = data.size();
    const hid_t space = H5Screate_simple(1, &size, nullptr);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(creation, 1, &size);
    if (!checksum_only) H5Pset_deflate(creation, 4);
    H5Pset_fletcher32(creation);
    const hid_t set = H5Dcreate2(file, "x", H5T_STD_U8LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    EXPECT_GE(H5Dwrite(set, H5T_STD_U8LE, H5S_ALL, H5S_ALL, H5P_DEFAULT, data.data()), 0);
    H5Fflush(file, H5F_SCOPE_GLOBAL);
    hsize_t stored_size = 0;
    const hsize_t origin = 0;
    EXPECT_GE(H5Dget_chunk_storage_size(set, &origin, &stored_size), 0);
    std::vector<std::byte> stored(stored_size);
    std::uint32_t mask = 0;
    EXPECT_GE(H5Dread_chunk(set, H5P_DEFAULT, &origin, &mask, stored.data()), 0);
    H5Pclose(creation);
    H5Sclose(space);
    H5Dclose(set);
    H5Fclose(file);
    return stored;
  }

  // Writes an encoded chunk directly and lets the library read it.
  std::vector<std::byte> read_by_library(std::span<const std::byte> encoded, std::size_t elements, hid_t type) {
    const hid_t file = H5Fcreate(in_folder("ours.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hsize_t size = elements;
    const hid_t space = H5Screate_simple(1, &size, nullptr);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(creation, 1, &size);
    H5Pset_shuffle(creation);
    H5Pset_deflate(creation, 4);
    H5Pset_fletcher32(creation);
    const hid_t set = H5Dcreate2(file, "x", type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    const hsize_t origin = 0;
    EXPECT_GE(H5Dwrite_chunk(set, H5P_DEFAULT, 0, &origin, encoded.size(), encoded.data()), 0);
    std::vector<std::byte> data(elements * H5Tget_size(type));
    EXPECT_GE(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data.data()), 0);
    H5Pclose(creation);
    H5Sclose(space);
    H5Dclose(set);
    H5Fclose(file);
    return data;
  }
};

TEST_F(ChunkCodecTest, ChecksumIsThatOfTheLibrary) {
  for (const std::size_t size : {1UL, 2UL, 3UL, 719UL, 720UL, 721UL, 1441UL, 131072UL, 131073UL, 300001UL}) {
    for (const std::uint32_t seed : {1U, 77U}) {
      const std::vector<std::byte> data = noise(size, seed);
      const std::vector<std::byte> stored = stored_by_library(data, true);
      ASSERT_EQ(stored.size(), size + 4);
      std::uint32_t checksum = 0;
      std::memcpy(&checksum, stored.data() + size, 4);
      EXPECT_EQ(fletcher32(data), checksum) << size << " bytes, seed " << seed;
    }
  }
}

TEST_F(ChunkCodecTest, ChecksumOfUniformBytesIsThatOfTheLibrary) {
  // Sums that are multiples of 65535 are where one's complement has two zeros.
  for (const int value : {0x00, 0xff, 0x80, 0x01}) {
    for (const std::size_t size : {1UL, 2UL, 510UL, 65534UL, 65535UL, 131072UL, 262140UL}) {
      const std::vector<std::byte> data(size, static_cast<std::byte>(value));
      const std::vector<std::byte> stored = stored_by_library(data, true);
      std::uint32_t checksum = 0;
      std::memcpy(&checksum, stored.data() + size, 4);
      EXPECT_EQ(fletcher32(data), checksum) << size << " bytes of " << value;
    }
  }
}

TEST_F(ChunkCodecTest, LibraryReadsEveryElementSize) {
  ChunkCodec codec;
  for (const hid_t type : {H5T_STD_U8LE, H5T_STD_U16LE, H5T_IEEE_F32LE, H5T_STD_I64LE}) {
    const std::size_t size = H5Tget_size(type);
    for (const std::size_t elements : {1UL, 2UL, 1000UL, 65537UL}) {
      const std::vector<std::byte> data = noise(elements * size, 5);
      EXPECT_EQ(read_by_library(codec.encode(data, size), elements, type), data) << elements << " x " << size;
    }
  }
}

TEST_F(ChunkCodecTest, CompressesWhatRepeats) {
  ChunkCodec codec;
  const std::vector<std::byte> data(1 << 19, std::byte{3});
  EXPECT_LT(codec.encode(data, 4).size(), data.size() / 100);
}

// Numbers whose low `noisy` bytes are noise and whose others hardly change.
std::vector<std::byte> numbers(std::size_t count, std::size_t element_size, std::size_t noisy) {
  std::vector<std::byte> data = noise(count * element_size, 9);
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (i % element_size >= noisy) data[i] = static_cast<std::byte>(i / 5000);
  }
  return data;
}

TEST_F(ChunkCodecTest, NoiseInFrontIsStoredAndTheRestCompressed) {
  ChunkCodec codec;
  for (const hid_t type : {H5T_STD_U16LE, H5T_IEEE_F32LE, H5T_STD_I64LE}) {
    const std::size_t size = H5Tget_size(type);
    for (std::size_t noisy = 0; noisy <= size; ++noisy) {
      for (const std::size_t count : {32768UL, 65535UL, 65536UL, 131072UL}) {
        const std::vector<std::byte> data = numbers(count, size, noisy);
        const std::span<const std::byte> encoded = codec.encode(data, size);
        EXPECT_LT(encoded.size(), count * noisy + count * (size - noisy) / 50 + 1000) << noisy << " of " << size;
        EXPECT_EQ(read_by_library(encoded, count, type), data) << noisy << " of " << size;
      }
    }
  }
}

TEST_F(ChunkCodecTest, NoiseThatEndsIsNotStored) {
  ChunkCodec codec;
  constexpr std::size_t count = 262144;
  for (const std::size_t part : {0UL, 5UL, 7UL}) {
    std::vector<std::byte> data = numbers(count, 2, 1);
    const std::size_t eighth = data.size() / 8;
    std::fill_n(data.begin() + static_cast<std::ptrdiff_t>(part * eighth), eighth, std::byte{0});
    const std::span<const std::byte> encoded = codec.encode(data, 2);
    EXPECT_EQ(read_by_library(encoded, count, H5T_STD_U16LE), data);
    EXPECT_LT(encoded.size(), count * 9 / 10) << part;
  }
}

TEST_F(ChunkCodecTest, RefusesElementsItCannotShuffle) {
  ChunkCodec codec;
  const std::vector<std::byte> data(12);
  EXPECT_EQ(error_of([&] { (void)codec.encode(data, 3); }).code(), ErrorCode::internal);
}

}  // namespace
}  // namespace pleat
