#include "store/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "core/error.h"
#include "core/file.h"

namespace pleat {
namespace {

using Json = nlohmann::ordered_json;

constexpr int version = 1;
constexpr std::size_t crc_digits = 8;

std::string crc_text(std::string_view text) { return fmt::format("{:08x}", crc32_of(std::as_bytes(std::span(text)))); }

// Messages may hold any bytes.
std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json json_of(const NamedValues& values) {
  Json json = Json::array();
  for (const auto& [name, value] : values) json.push_back({name, value});
  return json;
}

NamedValues values_from(const Json& json) {
  NamedValues values;
  for (const Json& pair : json) values.emplace_back(pair.at(0), pair.at(1));
  return values;
}

Json json_of(const JournalEntry& entry) {
  const SequenceResult& result = entry.result;
  Json json{{"row", result.row},         {"position", entry.place.position}, {"crc32", entry.place.crc32},
            {"seconds", result.seconds}, {"attempts", result.attempts},      {"rung", static_cast<int>(result.rung)},
            {"device", result.device}};
  if (result.failed) json["failed"] = true;
  if (!result.error_code.empty()) json["code"] = result.error_code;
  if (!result.message.empty()) json["message"] = result.message;
  return json;
}

JournalEntry entry_from(const Json& json) {
  JournalEntry entry;
  SequenceResult& result = entry.result;
  result.row = json.at("row");
  entry.place = {json.at("position"), json.at("crc32")};
  result.seconds = json.at("seconds");
  result.attempts = json.at("attempts");
  result.rung = static_cast<MemoryRung>(json.at("rung").get<int>());
  result.device = json.at("device");
  result.failed = json.value("failed", false);
  result.error_code = json.value("code", "");
  result.message = json.value("message", "");
  return entry;
}

// The object in a line without its end; nothing unless it is whole.
std::optional<Json> object_in(std::string_view line) {
  if (line.size() <= crc_digits + 1 || line[crc_digits] != ' ') return std::nullopt;
  const std::string_view text = line.substr(crc_digits + 1);
  if (crc_text(text) != line.substr(0, crc_digits)) return std::nullopt;
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  return json;
}

std::optional<JournalState> state_from(const Json& head) {
  if (head.value("pleat_journal", 0) != version) return std::nullopt;
  JournalState state;
  state.identity = {values_from(head.at("same")), values_from(head.at("settled"))};
  return state;
}

// Not open where there is none. What keeps a folder from being made is told when it is to be made.
std::ifstream open_journal(const std::filesystem::path& file) {
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  const bool is_there = errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG && errno != ELOOP;
  if (!in && is_there) throw_system_error(errno, "read", file, ErrorCode::io);
  return in;
}

void take_line(const Json& json, JournalState& state, const std::function<void(const JournalEntry&)>& entry) {
  if (json.contains("row")) return entry(entry_from(json));
  if (json.contains("model_sha256")) state.model_sha256 = json.at("model_sha256");
  if (!json.contains("lost")) return;
  for (const Json& row : json.at("lost")) ++state.lost[row.get<std::int64_t>()];
}

}  // namespace

std::optional<JournalState> Journal::read(const std::filesystem::path& file,
                                          const std::function<void(const JournalEntry&)>& entry) {
  std::ifstream in = open_journal(file);
  if (!in.is_open()) return std::nullopt;
  std::optional<JournalState> state;
  std::string line;
  // A last line without its end is found at the end of the file, and was cut off.
  while (std::getline(in, line) && !in.eof()) {
    const std::optional<Json> json = object_in(line);
    if (!json) break;
    if (state) {
      take_line(*json, *state, entry);
    } else {
      state = state_from(*json);
      if (!state) break;
    }
    state->whole_bytes += line.size() + 1;
  }
  if (in.bad()) throw_system_error(EIO, "read", file, ErrorCode::io);
  return state;
}

Journal::Journal(std::filesystem::path file, const RunIdentity& identity) : path_(std::move(file)) {
  open();
  append(
      text_of({{"pleat_journal", version}, {"same", json_of(identity.same)}, {"settled", json_of(identity.settled)}}));
  if (::ftruncate(file_.get(), static_cast<off_t>(end_)) != 0) {
    throw_system_error(errno, "write", path_, ErrorCode::io);
  }
  flush(unflushed());
  fsync_path(path_.parent_path());
}

Journal::Journal(std::filesystem::path file, const JournalState& state)
    : path_(std::move(file)), end_(state.whole_bytes) {
  open();
  if (::ftruncate(file_.get(), static_cast<off_t>(end_)) != 0) {
    throw_system_error(errno, "write", path_, ErrorCode::io);
  }
}

void Journal::open() {
  file_ = FileDescriptor(::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  if (!file_.is_open()) throw_system_error(errno, "create", path_, ErrorCode::cannot_create);
}

void Journal::add(const JournalEntry& entry) { append(text_of(json_of(entry))); }

void Journal::add_model(const std::string& sha256) { append(text_of({{"model_sha256", sha256}})); }

void Journal::add_loss(const std::vector<std::int64_t>& rows) { append(text_of({{"lost", rows}})); }

// Half a line stays behind when the disk is full; the next one is written over it, or the next reader cuts it off.
void Journal::append(const std::string& json) {
  const std::string line = crc_text(json) + " " + json + "\n";
  const int error = file_.write_at(end_, std::as_bytes(std::span(line)));
  if (error != 0) throw_system_error(error, "write", path_, ErrorCode::io);
  end_ += line.size();
}

Unflushed Journal::unflushed() const { return {file_.duplicate(), path_}; }

std::string value_of(const NamedValues& values, const std::string& name) {
  for (const auto& [known, value] : values) {
    if (known == name) return value;
  }
  return {};
}

std::filesystem::path work_folder_of(const std::filesystem::path& output, const std::filesystem::path& work_folder) {
  if (!work_folder.empty()) return work_folder;
  std::filesystem::path beside = output;
  beside += ".work";
  return beside;
}

std::optional<RunIdentity> find_earlier_run(const std::filesystem::path& work_folder) {
  const std::filesystem::path file = work_folder / Journal::file_name;
  std::ifstream in = open_journal(file);
  std::string line;
  if (!in.is_open() || !std::getline(in, line) || in.eof()) return std::nullopt;
  const std::optional<Json> head = object_in(line);
  const std::optional<JournalState> state = head ? state_from(*head) : std::nullopt;
  return state ? std::optional(state->identity) : std::nullopt;
}

}  // namespace pleat
