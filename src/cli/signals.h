// Signals that ask a long command to end, with nothing half-written.
#pragma once

#include "core/stop.h"

namespace pleat::cli {

// From now on SIGINT, SIGTERM, SIGHUP, SIGUSR1 and SIGUSR2 are remembered in the flag that is returned; a second one of
// the same kind ends the program at once. One that the caller has set aside, as nohup does with SIGHUP, stays so.
const StopFlag& watch_signals();

}  // namespace pleat::cli
