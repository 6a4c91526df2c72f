// Who works in a folder, written down there: found out also where file systems have no locks, or locks that do not
// reach other machines.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>

#include "core/stop.h"

namespace pleat {

// How often an owner shows that it lives, and how long a silent one is waited for.
struct OwnerPace {
  std::chrono::milliseconds beat{5000};
  std::chrono::milliseconds patience{12000};
};

class Owner {
 public:
  // Writes this process down as the owner, in FOLDER/pleat-owner.json, and shows every beat that it lives, on a thread
  // of its own. One that is there already is dead where it ran on this machine and has lost the lock that this process
  // has (`has_lock`), or is no process any more; else it is dead when it shows no life for as long as `pace` says.
  // Throws Error(cannot_create) when it lives, Error(retry) when the disk is full, and Stopped.
  Owner(const std::filesystem::path& folder, bool has_lock, const OwnerPace& pace, const StopToken* stop);
  ~Owner();
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;
  Owner(Owner&&) = delete;
  Owner& operator=(Owner&&) = delete;

  // Throws Error(cannot_create) once another process has taken the folder over.
  void throw_if_replaced() const;

 private:
  void wait_for_death(bool has_lock, const OwnerPace& pace, const StopToken* stop) const;
  void create();
  void beat(const std::stop_token& stop, std::chrono::milliseconds interval);
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool is_ours() const;

  std::filesystem::path folder_;
  std::filesystem::path file_;
  std::string nonce_;
  std::string host_;
  std::string started_;
  std::uint64_t beats_ = 0;
  std::atomic<bool> replaced_ = false;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace pleat
