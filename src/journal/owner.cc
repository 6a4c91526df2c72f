#include "journal/owner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <span>
#include <sstream>

#include "core/error.h"
#include "core/file.h"
#include "core/file_descriptor.h"
#include "core/host_name.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr const char* file_name = "pleat-owner.json";
constexpr std::chrono::milliseconds poll_interval{50};

// Where a process's number means something: a container has numbers of its own.
std::string process_space() {
  std::error_code unknown;
  return fs::read_symlink("/proc/self/ns/pid", unknown).string();
}

// When a process was started, in ticks since the machine was; empty where there is no such process.
std::string start_of(std::int64_t process) {
  std::ifstream in(fmt::format("/proc/{}/stat", process));
  std::string line;
  std::getline(in, line);
  const std::size_t name_end = line.rfind(')');  // the name may hold anything
  if (name_end == std::string::npos) return {};
  std::istringstream fields(line.substr(name_end + 1));
  std::string field;
  for (int number = 3; number <= 22; ++number) fields >> field;
  return field;
}

// What the file says; nothing where there is none.
std::optional<std::string> content_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::nullopt;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

Json parsed(const std::string& text) {
  Json json = Json::parse(text, nullptr, false);
  return json.is_object() ? json : Json::object();
}

template <typename T>
T value_in(const Json& json, const char* name, T otherwise) {
  try {
    return json.value(name, otherwise);
  } catch (const Json::exception&) {
    return otherwise;
  }
}

[[noreturn]] void throw_in_use(const fs::path& folder, const Json& owner) {
  throw Error(
      ErrorCode::cannot_create,
      fmt::format("the work folder '{}' is in use by process {} on {}", folder.string(),
                  value_in(owner, "process", std::int64_t{0}), value_in(owner, "host", std::string("another host"))),
      "wait for that run to end, or choose another place with --output or --work-dir");
}

// A process of this machine, of which we can say whether it lives.
bool is_of_this_machine(const Json& owner) {
  return value_in(owner, "host", std::string()) == host_name() &&
         value_in(owner, "space", std::string()) == process_space();
}

bool lives_here(const Json& owner) {
  const std::string start = start_of(value_in(owner, "process", std::int64_t{0}));
  return !start.empty() && start == value_in(owner, "started", std::string());
}

}  // namespace

Owner::Owner(const fs::path& folder, bool has_lock, const OwnerPace& pace, const StopToken* stop)
    : folder_(folder), file_(folder / file_name), host_(host_name()), started_(start_of(::getpid())) {
  std::random_device random;
  nonce_ = fmt::format("{:08x}{:08x}", random(), random());
  wait_for_death(has_lock, pace, stop);
  create();
  thread_ = std::jthread([this, interval = pace.beat](const std::stop_token& token) { beat(token, interval); });
}

Owner::~Owner() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  std::error_code ignored;
  if (is_ours()) fs::remove(file_, ignored);
}

void Owner::wait_for_death(bool has_lock, const OwnerPace& pace, const StopToken* stop) const {
  const std::optional<std::string> found = content_of(file_);
  if (!found) return;
  const Json owner = parsed(*found);
  if (is_of_this_machine(owner)) {
    if (!has_lock && lives_here(owner)) throw_in_use(folder_, owner);
    return;
  }
  for (const auto end = Clock::now() + pace.patience; Clock::now() < end;) {
    throw_if_stopped(stop);
    std::this_thread::sleep_for(std::min<Clock::duration>(poll_interval, end - Clock::now()));
    const std::optional<std::string> now = content_of(file_);
    if (!now) return;
    if (*now != *found) throw_in_use(folder_, parsed(*now));
  }
}

void Owner::create() {
  std::error_code ignored;
  fs::remove(file_, ignored);
  const FileDescriptor out(::open(file_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!out.is_open() && errno == EEXIST) throw_in_use(folder_, parsed(content_of(file_).value_or("")));
  if (!out.is_open()) throw_system_error(errno, "create", file_, ErrorCode::cannot_create);
  const std::string line = text();
  const int failure = out.write_at(0, std::as_bytes(std::span(line)));
  if (failure == 0) return;
  fs::remove(file_, ignored);
  throw_system_error(failure, "write", file_, ErrorCode::cannot_create);
}

// Always as long, so that it can be written over.
std::string Owner::text() const {
  const Json json{{"host", host_},       {"process", ::getpid()},
                  {"started", started_}, {"space", process_space()},
                  {"nonce", nonce_},     {"beat", fmt::format("{:020}", beats_)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

bool Owner::is_ours() const {
  const std::optional<std::string> found = content_of(file_);
  return found && value_in(parsed(*found), "nonce", std::string()) == nonce_;
}

// A disk that fails now is found out by what has results to write. Closing the file is what shows it to other machines.
void Owner::beat(const std::stop_token& stop, std::chrono::milliseconds interval) {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (changed_.wait_for(lock, stop, interval, [] { return false; }); stop.stop_requested()) return;
    }
    if (!is_ours()) {
      replaced_ = true;
      return;
    }
    ++beats_;
    const std::string line = text();
    const FileDescriptor out(::open(file_.c_str(), O_WRONLY | O_CLOEXEC));
    if (out.is_open()) static_cast<void>(out.write_at(0, std::as_bytes(std::span(line))));
  }
}

void Owner::throw_if_replaced() const {
  if (!replaced_) return;
  const Json owner = parsed(content_of(file_).value_or(""));
  throw_in_use(folder_, owner);
}

}  // namespace pleat
