#include "results/result_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "core/error.h"
#include "core/file.h"
#include "core/file_descriptor.h"
#include "core/host_name.h"
#include "core/sha256.h"
#include "format/record_parts.h"

// A file is three things end to end: a line of JSON with everything that decides the numbers, a line of JSON with the
// note on the result, the parts' bytes; and the SHA-256 of all that, in hexadecimal digits. Its name is the SHA-256 of
// the first line. It appears under that name by a rename, whole, so that writers need no lock; a power cut may still
// leave a file that lacks data, which its checksum finds out.

namespace pleat {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int entry_version = 1;
constexpr std::size_t digest_digits = 64;
constexpr const char* temporary_folder = "tmp";
constexpr std::chrono::hours temporary_age{24};
constexpr const char* cache_device = "cache";

// "ACD:EFG" for two chains.
std::string text_of(const SequenceTable& sequences, std::int64_t row) {
  const std::string_view residues = sequences.residues(row);
  const std::span<const std::uint16_t> chain = sequences.chain(row);
  std::string text;
  for (std::size_t i = 0; i < residues.size(); ++i) {
    if (i > 0 && chain[i] != chain[i - 1]) text += ':';
    text += residues[i];
  }
  return text;
}

std::string name_of_writer() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  return fmt::format("{}-{}-{}", host_name(), ::getpid(), now);
}

void remove_old_temporary_files(const fs::path& folder) {
  std::error_code ignored;
  const auto limit = fs::file_time_type::clock::now() - temporary_age;
  for (fs::directory_iterator entry(folder, ignored), end; entry != end; entry.increment(ignored)) {
    const fs::file_time_type time = fs::last_write_time(entry->path(), ignored);
    if (!ignored && time < limit) fs::remove(entry->path(), ignored);
  }
}

// The lines and the bytes of a file whose checksum is right.
struct Content {
  std::string_view head;
  std::string_view note;
  std::span<const std::byte> numbers;
};

std::optional<Content> content_of(std::span<const std::byte> file) {
  if (file.size() < digest_digits) return std::nullopt;
  const auto as_text = [](std::span<const std::byte> bytes) {
    return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  std::span<const std::byte> body = file.first(file.size() - digest_digits);
  if (sha256_of(as_text(body)) != as_text(file.last(digest_digits))) return std::nullopt;
  Content content;
  for (std::string_view* const line : {&content.head, &content.note}) {
    const std::size_t length = as_text(body).find('\n');
    if (length == std::string_view::npos) return std::nullopt;
    *line = as_text(body.first(length));
    body = body.subspan(length + 1);
  }
  content.numbers = body;
  return content;
}

// Throws Error when the file is not a whole result of what `head` says.
SequenceResult result_in(std::span<const std::byte> file, const std::string& head, const ResultLayout& layout,
                         const SequenceSize& size) {
  const std::optional<Content> content = content_of(file);
  if (!content || content->head != head) throw Error(ErrorCode::io, "not a whole result");
  SequenceResult result = result_from(content->numbers, layout, size);
  const Json note = Json::parse(content->note, nullptr, false);
  if (!note.is_object()) throw Error(ErrorCode::io, "not a note");
  result.error_code = note.value("code", "");
  result.message = note.value("message", "");
  result.attempts = 0;
  result.device = cache_device;
  return result;
}

std::string note_of(const SequenceResult& result) {
  const Json note{{"code", result.error_code}, {"message", result.message}};
  return note.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

ResultCache::ResultCache(fs::path folder, ResultLayout layout, const NamedValues& same)
    : folder_(std::move(folder)), layout_(std::move(layout)), same_(same), writer_(name_of_writer()) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) throw_system_error(error.value(), "create the cache", folder_, ErrorCode::cannot_create);
  fs::create_directory(folder_ / temporary_folder, error);
  remove_old_temporary_files(folder_ / temporary_folder);
}

ResultCache::Entry ResultCache::entry_of(const SequenceTable& sequences, std::int64_t row) const {
  Json head{{"pleat_cache", entry_version}};
  for (const auto& [name, value] : same_) head[name] = value;
  head["sequence"] = text_of(sequences, row);
  for (const SequenceVariant& variant : sequences.variants(row)) head["variants"].push_back(variant.text);
  Entry entry{head.dump(-1, ' ', false, Json::error_handler_t::replace), {}};
  const std::string name = sha256_of(entry.head);
  // Folders stay small enough for any file system.
  entry.file = folder_ / name.substr(0, 2) / name.substr(2, 2) / (name + ".pleat");
  return entry;
}

std::optional<SequenceResult> ResultCache::find(const SequenceTable& sequences, std::int64_t row) {
  const Entry entry = entry_of(sequences, row);
  std::error_code ignored;
  if (!fs::is_regular_file(entry.file, ignored)) return std::nullopt;
  try {
    const std::string file = read_text_file(entry.file);
    SequenceResult result = result_in(std::as_bytes(std::span(file)), entry.head, layout_, size_of(sequences, row));
    result.row = row;
    ++counts_.found;
    return result;
  } catch (const std::exception&) {
    ++counts_.damaged;
    return std::nullopt;
  }
}

void ResultCache::keep(const SequenceTable& sequences, const SequenceResult& result) {
  if (result.failed || result.rung == MemoryRung::lower_precision) return;
  try {
    write(entry_of(sequences, result.row), result);
    ++counts_.kept;
  } catch (const std::exception& error) {
    if (counts_.not_kept++ == 0) counts_.why_not_kept = error.what();
  }
}

void ResultCache::write(const Entry& entry, const SequenceResult& result) {
  const fs::path temporary = folder_ / temporary_folder / writer_;
  FileDescriptor out(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!out.is_open()) throw_system_error(errno, "create", temporary, ErrorCode::io);
  try {
    Sha256 sha256;
    std::uint64_t offset = 0;
    const auto write = [&](std::span<const std::byte> data) {
      const int error = out.write_at(offset, data);
      if (error != 0) throw_system_error(error, "write", temporary, ErrorCode::io);
      offset += data.size();
    };
    const auto add = [&](std::span<const std::byte> data) {
      sha256.update(data);
      write(data);
    };
    const std::string lines = entry.head + "\n" + note_of(result) + "\n";
    add(std::as_bytes(std::span(lines)));
    for (const std::span<const std::byte> part : bytes_of(result, layout_)) add(part);
    const std::string digest = sha256.finish();
    write(std::as_bytes(std::span(digest)));
    fs::create_directories(entry.file.parent_path());
    fs::rename(temporary, entry.file);
  } catch (...) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw;
  }
}

}  // namespace pleat
