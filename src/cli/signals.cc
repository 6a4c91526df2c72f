#include "cli/signals.h"

#include <csignal>

namespace pleat::cli {
namespace {

StopFlag stop_signal = 0;
static_assert(StopFlag::is_always_lock_free, "the signal handler stores into it");

void remember_signal(int signal) {
  stop_signal = signal;
  // What is on the disk can be resumed at any moment.
  std::signal(signal, SIG_DFL);
}

}  // namespace

const StopFlag& watch_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2}) {
    if (std::signal(signal, remember_signal) == SIG_IGN) std::signal(signal, SIG_IGN);
  }
  return stop_signal;
}

}  // namespace pleat::cli
