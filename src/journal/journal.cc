#include "journal/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/file.h"

namespace pleat {
namespace {

using Json = nlohmann::ordered_json;

constexpr int journal_version = 2;
constexpr std::size_t crc_digits = 8;

// A whole line that this program has not written.
class ForeignLine : public std::exception {};

template <typename T>
T integer_from(const Json& json) {
  const bool fits = json.is_number_unsigned()  ? std::in_range<T>(json.get<std::uint64_t>())
                    : json.is_number_integer() ? std::in_range<T>(json.get<std::int64_t>())
                                               : false;
  if (!fits) throw ForeignLine();
  return json.is_number_unsigned() ? static_cast<T>(json.get<std::uint64_t>())
                                   : static_cast<T>(json.get<std::int64_t>());
}

MemoryRung rung_from(const Json& json) {
  const int number = integer_from<int>(json);
  if (number < 0 || number > static_cast<int>(MemoryRung::lower_precision)) throw ForeignLine();
  return static_cast<MemoryRung>(number);
}

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
  result.row = integer_from<std::int64_t>(json.at("row"));
  entry.place = {integer_from<std::uint64_t>(json.at("position")), integer_from<std::uint32_t>(json.at("crc32"))};
  result.seconds = json.at("seconds");
  result.attempts = integer_from<std::int32_t>(json.at("attempts"));
  if (result.attempts < 0) throw ForeignLine();
  result.rung = rung_from(json.at("rung"));
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

// Of a first line that is none of a journal's: nothing.
std::optional<JournalState> state_from(const Json& head, const std::filesystem::path& file) try {
  if (!head.contains("pleat_journal")) return std::nullopt;
  const int found = integer_from<int>(head.at("pleat_journal"));
  if (found == 0) return std::nullopt;
  if (found != journal_version) {
    throw Error(ErrorCode::cannot_create,
                fmt::format("'{}' is the journal of another version of pleat ({}, this one writes {})", file.string(),
                            found, journal_version),
                "finish that run with the pleat that began it, give up its results with --restart, or choose another "
                "place with --work-dir");
  }
  JournalState state;
  state.identity = {values_from(head.at("same")), values_from(head.at("settled"))};
  return state;
} catch (const Json::exception&) {
  return std::nullopt;
} catch (const ForeignLine&) {
  return std::nullopt;
}

// Not open where there is none. What keeps a folder from being made is told when it is to be made.
std::ifstream open_journal(const std::filesystem::path& file) {
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  const bool is_there = errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG && errno != ELOOP;
  if (!in && is_there) throw_system_error(errno, "read", file, ErrorCode::io);
  return in;
}

// Takes in one line after the other.
class Reader {
 public:
  Reader(JournalState state, const std::function<void(const JournalEntry&)>& entry)
      : state_(std::move(state)), entry_(entry) {}

  void take(const Json& json, std::size_t bytes) {
    if (json.contains("row")) take_entry(json);
    if (json.contains("run")) begin_run(integer_from<std::int64_t>(json.at("longest_tokens")));
    if (json.contains("under_way")) set_under_way(json.at("under_way"));
    if (json.contains("model_sha256")) take_model(json.at("model_sha256"));
    if (json.contains("lost")) {
      for (const Json& row : json.at("lost")) ++state_.lost[integer_from<std::int64_t>(row)];
    }
    state_.whole_bytes += bytes;
  }

  JournalState finish() {
    end_run();
    return std::move(state_);
  }

 private:
  void take_entry(const Json& json) {
    JournalEntry entry = entry_from(json);
    entry.run = run_;
    entry.longest_tokens = longest_tokens_;
    under_way_.erase(entry.result.row);
    has_results_ = true;
    entry_(entry);
  }

  void take_model(const std::string& sha256) {
    if (!state_.model_sha256.empty() && state_.model_sha256 != sha256) state_.first_run = run_;
    state_.model_sha256 = sha256;
  }

  void set_under_way(const Json& rows) {
    under_way_.clear();
    for (const Json& row : rows) under_way_.insert(integer_from<std::int64_t>(row));
  }

  void begin_run(std::int64_t longest_tokens) {
    end_run();
    ++run_;
    under_way_.clear();
    has_results_ = false;
    longest_tokens_ = longest_tokens;
  }

  void end_run() {
    for (const std::int64_t row : under_way_) ++state_.interrupted[row];
    state_.last_did_nothing = !has_results_ && !under_way_.empty();
  }

  JournalState state_;
  const std::function<void(const JournalEntry&)>& entry_;
  // Of the run whose lines are being read:
  std::int64_t run_ = 0;
  std::int64_t longest_tokens_ = 0;
  std::set<std::int64_t> under_way_;
  bool has_results_ = false;
};

}  // namespace

std::optional<JournalState> Journal::read(const std::filesystem::path& file,
                                          const std::function<void(const JournalEntry&)>& entry) {
  std::ifstream in = open_journal(file);
  if (!in.is_open()) return std::nullopt;
  std::optional<Reader> reader;
  std::string line;
  // A last line without its end is found at the end of the file, and was cut off.
  while (std::getline(in, line) && !in.eof()) {
    const std::optional<Json> json = object_in(line);
    if (!json) break;
    if (!reader) {
      std::optional<JournalState> state = state_from(*json, file);
      if (!state) break;
      reader.emplace(std::move(*state), entry);
    }
    try {
      reader->take(*json, line.size() + 1);
    } catch (const Json::exception&) {
      break;
    } catch (const ForeignLine&) {
      break;
    }
  }
  if (in.bad()) throw_system_error(EIO, "read", file, ErrorCode::io);
  return reader ? std::optional(reader->finish()) : std::nullopt;
}

Journal::Journal(std::filesystem::path file, const RunIdentity& identity) : path_(std::move(file)) {
  open();
  append(text_of(
      {{"pleat_journal", journal_version}, {"same", json_of(identity.same)}, {"settled", json_of(identity.settled)}}));
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

void Journal::begin_run(std::int64_t longest_tokens) {
  append(text_of({{"run", "begins"}, {"longest_tokens", longest_tokens}}));
}

void Journal::set_under_way(const std::vector<std::int64_t>& rows) { append(text_of({{"under_way", rows}})); }

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
  const std::optional<JournalState> state = head ? state_from(*head, file) : std::nullopt;
  return state ? std::optional(state->identity) : std::nullopt;
}

std::set<std::int64_t> find_earlier_rows(const std::filesystem::path& work_folder) {
  std::map<std::int64_t, std::int64_t> last_run;  // of each key
  const std::optional<JournalState> state =
      Journal::read(work_folder / Journal::file_name, [&](const JournalEntry& entry) {
        if (!entry.result.failed) last_run[entry.result.row] = entry.run;
      });
  std::set<std::int64_t> keys;
  if (!state) return keys;
  for (const auto& [key, run] : last_run) {
    if (run >= state->first_run) keys.insert(key);
  }
  return keys;
}

}  // namespace pleat
