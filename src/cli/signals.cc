#include "cli/signals.h"

#include <csignal>

namespace pleat::cli {
namespace {

StopToken token;  // as long as the program

void remember_signal(int signal) {
  token.request_signal(signal);
  // What is on the disk can be resumed at any moment.
  std::signal(signal, SIG_DFL);
}

}  // namespace

std::shared_ptr<const StopToken> watch_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2}) {
    if (std::signal(signal, remember_signal) == SIG_IGN) std::signal(signal, SIG_IGN);
  }
  return {std::shared_ptr<void>(), &token};
}

}  // namespace pleat::cli
