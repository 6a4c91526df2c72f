#include "journal/segment_store.h"

#include <fcntl.h>
#include <libdeflate.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <string_view>
#include <utility>

#include "core/ascii.h"
#include "core/error.h"
#include "core/file.h"

namespace pleat {
namespace {

constexpr std::string_view name_begin = "pleat-segment-";
constexpr std::string_view name_end = ".bin";

}  // namespace

std::uint32_t crc32_of(std::span<const std::byte> data, std::uint32_t before) {
  return libdeflate_crc32(before, data.data(), data.size());
}

SegmentStore::SegmentStore(std::filesystem::path folder, std::uint64_t roll_bytes)
    : folder_(std::move(folder)), roll_bytes_(roll_bytes) {
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    if (is_segment(name)) segment_ = std::max<std::uint64_t>(segment_, std::stoull(name.substr(name_begin.size())) + 1);
  }
}

void SegmentStore::begin_segment() {
  const std::filesystem::path file = folder_ / file_name(segment_);
  current_ = FileDescriptor(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!current_.is_open()) throw_system_error(errno, "create", file, ErrorCode::io);
  end_ = 0;
  fsync_path(folder_);
}

RecordPlace SegmentStore::append(std::int64_t row, std::span<const std::span<const std::byte>> parts) {
  if (current_.is_open() && end_ >= roll_bytes_) {
    full_.push_back({std::move(current_), folder_ / file_name(segment_)});
    ++segment_;
  }
  if (!current_.is_open()) begin_segment();
  RecordPlace place{(segment_ << offset_bits) | end_, 0};
  std::uint64_t offset = end_;
  const auto write = [&](std::span<const std::byte> data) {
    const int error = current_.write_at(offset, data);
    if (error != 0) throw_system_error(error, "write", folder_ / file_name(segment_), ErrorCode::io);
    offset += data.size();
  };
  for (std::size_t part = 0; part < parts.size(); ++part) {
    const PartHead head{row, parts[part].size(), static_cast<std::uint32_t>(part), crc32_of(parts[part])};
    const std::span<const std::byte> head_bytes = std::as_bytes(std::span(&head, 1));
    place.crc32 = crc32_of(head_bytes, place.crc32);
    write(head_bytes);
    write(parts[part]);
  }
  end_ = offset;
  return place;
}

std::vector<Unflushed> SegmentStore::unflushed() {
  std::vector<Unflushed> files = std::exchange(full_, {});
  if (current_.is_open()) files.push_back({current_.duplicate(), folder_ / file_name(segment_)});
  return files;
}

bool SegmentStore::is_whole(const RecordPlace& place, std::int64_t row, std::span<const std::uint64_t> part_bytes) {
  try {
    check_record(place.position, place.crc32, row, part_bytes);
    return true;
  } catch (const Error&) {
    return false;
  }
}

void SegmentStore::check_record(std::uint64_t position, std::uint32_t crc32, std::int64_t row,
                                std::span<const std::uint64_t> part_bytes) {
  constexpr std::size_t block_bytes = std::size_t{1} << 20;
  const auto require = [&](bool condition) {
    if (!condition) throw Error(ErrorCode::io, "'" + file_of(position).string() + "' holds a damaged record");
  };
  std::uint32_t heads_crc32 = 0;
  for (std::size_t part = 0; part < part_bytes.size(); ++part) {
    PartHead head;
    read(position, std::as_writable_bytes(std::span(&head, 1)));
    heads_crc32 = crc32_of(std::as_bytes(std::span(&head, 1)), heads_crc32);
    require(head.row == row && head.part == part && head.bytes == part_bytes[part]);
    position += sizeof(PartHead);
    std::uint32_t data_crc32 = 0;
    for (std::uint64_t left = head.bytes; left > 0;) {
      buffer_.resize(std::min<std::uint64_t>(left, block_bytes));
      read(position, buffer_);
      data_crc32 = crc32_of(buffer_, data_crc32);
      position += buffer_.size();
      left -= buffer_.size();
    }
    require(data_crc32 == head.crc32);
  }
  require(heads_crc32 == crc32);
}

void SegmentStore::read(std::uint64_t position, std::span<std::byte> out) {
  const std::uint64_t offset = position & ((std::uint64_t{1} << offset_bits) - 1);
  std::size_t got = 0;
  const int error = open_for_reading(position >> offset_bits).read_at(offset, out, got);
  if (error != 0) throw_system_error(error, "read", file_of(position), ErrorCode::io);
  if (got < out.size()) {
    throw Error(ErrorCode::io, "'" + file_of(position).string() + "' ends before its last record",
                "something else changed the work folder; run again");
  }
}

const FileDescriptor& SegmentStore::open_for_reading(std::uint64_t segment) {
  OpenSegment& slot = open_[segment % open_.size()];
  if (!slot.fd.is_open() || slot.segment != segment) {
    const std::filesystem::path file = folder_ / file_name(segment);
    slot.fd = FileDescriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!slot.fd.is_open()) throw_system_error(errno, "open", file, ErrorCode::io);
    slot.segment = segment;
  }
  return slot.fd;
}

std::filesystem::path SegmentStore::file_of(std::uint64_t position) const {
  return folder_ / file_name(position >> offset_bits);
}

std::string SegmentStore::file_name(std::uint64_t segment) {
  std::string number = std::to_string(segment);
  if (number.size() < 4) number.insert(0, 4 - number.size(), '0');
  return std::string(name_begin) + number + std::string(name_end);
}

bool SegmentStore::is_segment(const std::string& name) {
  const std::string_view view = name;
  if (!view.starts_with(name_begin) || !view.ends_with(name_end)) return false;
  const std::string_view digits = view.substr(name_begin.size(), view.size() - name_begin.size() - name_end.size());
  return digits.size() >= 4 && std::ranges::all_of(digits, is_digit);
}

}  // namespace pleat
