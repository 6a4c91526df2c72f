#include "weights/zip_archive.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "weights/byte_reader.h"
#include "weights/strict_json.h"

namespace pleat {
namespace {

constexpr std::uint64_t local_signature = 0x04034b50;
constexpr std::uint64_t central_signature = 0x02014b50;
constexpr std::uint64_t end_signature = 0x06054b50;
constexpr std::uint64_t end64_signature = 0x06064b50;
constexpr std::uint64_t locator64_signature = 0x07064b50;
constexpr std::size_t end_bytes = 22;
constexpr std::size_t end64_bytes = 56;
constexpr std::size_t locator64_bytes = 20;
constexpr std::uint64_t zip64_field = 0x0001;
// In a field too narrow for its number; the number is in the zip64 record.
constexpr std::uint64_t elsewhere16 = 0xffff;
constexpr std::uint64_t elsewhere32 = 0xffffffff;
// Encrypted, patch data, strongly encrypted, hidden headers.
constexpr std::uint64_t refused_flags = 0x2061;
constexpr std::uint64_t descriptor_flag = 0x0008;  // sizes follow the data, so the local header may lack them

struct Directory {
  std::uint64_t count = 0;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

struct Entry {
  std::string_view name;
  std::uint64_t flags = 0;
  std::uint64_t size = 0;
  std::uint64_t header = 0;  // where the local header begins
  std::uint64_t data = 0;    // where the data begin
};

// A path inside the archive that no program could take for another place.
bool is_sound_name(std::string_view name) {
  if (name.empty() || name.size() > max_name_bytes || name.front() == '/' || name.back() == '/') return false;
  const bool letters = std::ranges::all_of(
      name, [](char letter) { return letter != '\\' && letter != ':' && static_cast<unsigned char>(letter) >= 0x20; });
  const std::string path = "/" + std::string(name) + "/";
  return letters && path.find("/../") == std::string::npos && path.find("/./") == std::string::npos &&
         path.find("//") == std::string::npos;
}

class ZipParser {
 public:
  ZipParser(std::span<const std::byte> bytes, const Refusal& refuse) : bytes_(bytes), refuse_(refuse) {}

  std::map<std::string, std::span<const std::byte>> parse() {
    const Directory directory = find_directory();
    std::vector<Entry> entries = read_directory(directory);
    for (Entry& entry : entries) read_local_header(entry, directory.offset);
    check_overlap(entries);
    std::map<std::string, std::span<const std::byte>> files;
    for (const Entry& entry : entries) {
      const bool first = files.emplace(entry.name, bytes_.subspan(entry.data, entry.size)).second;
      if (!first) refuse_("the zip archive lists " + in_quotes(entry.name) + " twice");
    }
    return files;
  }

 private:
  // The bytes from `offset` on, which must lie in the file.
  [[nodiscard]] ByteReader reader(std::uint64_t offset, std::uint64_t count, const char* what) const {
    if (offset > bytes_.size() || count > bytes_.size() - offset) {
      refuse_(std::string("the zip archive's ") + what + " would lie outside the file");
    }
    return ByteReader(bytes_.subspan(offset, count));
  }

  [[nodiscard]] Directory find_directory() const {
    const std::uint64_t end = bytes_.size() - std::min(bytes_.size(), end_bytes);
    ByteReader record(bytes_.subspan(end));
    if (record.left() < end_bytes || record.number(4) != end_signature) {
      refuse_("there is no zip directory at the end: the file is cut short or damaged");
    }
    const std::uint64_t disk = record.number(2);
    const std::uint64_t directory_disk = record.number(2);
    const std::uint64_t here = record.number(2);
    Directory directory{.count = record.number(2), .offset = 0, .bytes = record.number(4)};
    directory.offset = record.number(4);
    if (record.number(2) != 0) refuse_("the zip archive ends in a comment, which torch.save does not write");
    const bool several = disk != directory_disk || (disk != 0 && disk != elsewhere16) || here != directory.count;
    if (several) refuse_("the zip archive is one of several disks");
    const std::uint64_t after = find_directory64(directory, end).value_or(end);
    if (directory.offset > after || directory.bytes != after - directory.offset) {
      refuse_("the zip archive's directory is not where its last record says");
    }
    return directory;
  }

  // Takes the numbers of the zip64 record where there is one, and returns where that begins.
  [[nodiscard]] std::optional<std::uint64_t> find_directory64(Directory& directory, std::uint64_t end) const {
    const bool needed =
        directory.count == elsewhere16 || directory.bytes == elsewhere32 || directory.offset == elsewhere32;
    const std::uint64_t locator_at = end - std::min<std::uint64_t>(end, locator64_bytes);
    ByteReader locator(bytes_.subspan(locator_at, end - locator_at));
    if (locator.left() < locator64_bytes || locator.number(4) != locator64_signature) {
      if (needed) refuse_("the zip archive lacks the record of sizes beyond 4 GB");
      return std::nullopt;
    }
    const std::uint64_t disk = locator.number(4);
    const std::uint64_t at = locator.number(8);
    if (disk != 0 || locator.number(4) > 1) refuse_("the zip archive is one of several disks");
    if (locator_at < end64_bytes || at != locator_at - end64_bytes) {
      refuse_("the zip archive's zip64 record is not where its locator says");
    }
    ByteReader record = reader(at, end64_bytes, "zip64 record");
    if (record.number(4) != end64_signature || record.number(8) != end64_bytes - 12) {
      refuse_("the zip archive's zip64 record is damaged");
    }
    record.skip(4);  // versions
    const std::uint64_t disks = record.number(4) | record.number(4);
    const std::uint64_t here = record.number(8);
    const Directory wide{.count = record.number(8), .offset = 0, .bytes = record.number(8)};
    const std::uint64_t offset = record.number(8);
    if (disks != 0 || here != wide.count) refuse_("the zip archive is one of several disks");
    const auto agrees = [](std::uint64_t narrow, std::uint64_t value, std::uint64_t other) {
      return narrow == other || narrow == value;
    };
    if (!agrees(directory.count, wide.count, elsewhere16) || !agrees(directory.bytes, wide.bytes, elsewhere32) ||
        !agrees(directory.offset, offset, elsewhere32)) {
      refuse_("the zip archive's two last records disagree");
    }
    directory = {.count = wide.count, .offset = offset, .bytes = wide.bytes};
    return at;
  }

  [[nodiscard]] std::vector<Entry> read_directory(const Directory& directory) const {
    ByteReader reader_of_all = reader(directory.offset, directory.bytes, "directory");
    std::vector<Entry> entries;
    try {
      while (reader_of_all.left() > 0) entries.push_back(read_entry(reader_of_all));
    } catch (const ByteReader::Ended&) {
      refuse_("the zip archive's directory ends inside an entry");
    }
    if (entries.size() != directory.count) {
      refuse_("the zip archive's directory holds " + std::to_string(entries.size()) + " entries, not the " +
              std::to_string(directory.count) + " it announces");
    }
    return entries;
  }

  [[nodiscard]] Entry read_entry(ByteReader& reader) const {
    if (reader.number(4) != central_signature) refuse_("the zip archive's directory is damaged");
    reader.skip(4);  // versions
    Entry entry;
    entry.flags = reader.number(2);
    const std::uint64_t method = reader.number(2);
    reader.skip(8);  // time, date, CRC-32
    std::uint64_t stored = reader.number(4);
    entry.size = reader.number(4);
    const std::uint64_t name_bytes = reader.number(2);
    const std::uint64_t extra_bytes = reader.number(2);
    const std::uint64_t comment_bytes = reader.number(2);
    const std::uint64_t disk = reader.number(2);
    reader.skip(6);  // attributes
    entry.header = reader.number(4);
    entry.name = reader.text(name_bytes);
    read_wide_numbers(reader.take(extra_bytes), {&entry.size, &stored, &entry.header}, entry.name);
    reader.skip(comment_bytes);
    if (!is_sound_name(entry.name)) refuse_("the zip archive holds a file named " + in_quotes(entry.name));
    if (disk != 0) refuse_("the zip archive is one of several disks");
    if ((entry.flags & refused_flags) != 0) refuse_(in_quotes(entry.name) + " is encrypted in the zip archive");
    if (method != 0 || stored != entry.size) {
      refuse_(in_quotes(entry.name) + " is compressed in the zip archive, which torch.save never does");
    }
    return entry;
  }

  // The extra fields: those of `numbers` that did not fit are in the zip64 field, in this order.
  void read_wide_numbers(std::span<const std::byte> extra, const std::vector<std::uint64_t*>& numbers,
                         std::string_view name) const {
    ByteReader fields(extra);
    while (fields.left() > 0) {
      const std::uint64_t kind = fields.number(2);
      ByteReader field(fields.take(fields.number(2)));
      if (kind != zip64_field) continue;
      for (std::uint64_t* const number : numbers) {
        if (*number == elsewhere32) *number = field.number(8);
      }
      return;
    }
    for (const std::uint64_t* const number : numbers) {
      if (*number == elsewhere32) refuse_(in_quotes(name) + " lacks its size or place beyond 4 GB in the zip archive");
    }
  }

  void read_local_header(Entry& entry, std::uint64_t directory) const {
    if (entry.header > directory) refuse_place(entry.name);
    ByteReader reader(bytes_.subspan(entry.header, directory - entry.header));
    try {
      if (reader.number(4) != local_signature) refuse_place(entry.name);
      reader.skip(2);  // version
      const std::uint64_t flags = reader.number(2);
      const std::uint64_t method = reader.number(2);
      reader.skip(8);  // time, date, CRC-32
      const std::uint64_t stored = reader.number(4);
      const std::uint64_t size = reader.number(4);
      const std::uint64_t name_bytes = reader.number(2);
      const std::uint64_t extra_bytes = reader.number(2);
      const bool same_name = reader.text(name_bytes) == entry.name;
      reader.skip(extra_bytes);
      entry.data = entry.header + reader.position();
      const auto agrees = [&](std::uint64_t local) {
        return local == entry.size || local == elsewhere32 || ((flags & descriptor_flag) != 0 && local == 0);
      };
      if (!same_name || method != 0 || flags != entry.flags || !agrees(stored) || !agrees(size)) {
        refuse_("the zip archive's directory and the header of " + in_quotes(entry.name) + " disagree");
      }
      reader.skip(entry.size);
    } catch (const ByteReader::Ended&) {
      refuse_place(entry.name);
    }
  }

  [[noreturn]] void refuse_place(std::string_view name) const {
    refuse_(in_quotes(name) + " is not where the zip archive's directory says");
  }

  void check_overlap(const std::vector<Entry>& entries) const {
    std::vector<Entry> sorted = entries;
    std::ranges::sort(sorted, {}, &Entry::header);
    for (std::size_t i = 1; i < sorted.size(); ++i) {
      if (sorted[i].header < sorted[i - 1].data + sorted[i - 1].size) {
        refuse_(in_quotes(sorted[i - 1].name) + " and " + in_quotes(sorted[i].name) + " overlap in the zip archive");
      }
    }
  }

  std::span<const std::byte> bytes_;
  const Refusal& refuse_;
};

}  // namespace

std::map<std::string, std::span<const std::byte>> parse_zip(std::span<const std::byte> bytes, const Refusal& refuse) {
  return ZipParser(bytes, refuse).parse();
}

}  // namespace pleat
