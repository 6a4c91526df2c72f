// Signals that ask a long command to end, with nothing half-written.
#pragma once

#include <memory>

#include "core/stop.h"

namespace pleat::cli {

// From now on SIGINT, SIGTERM, SIGHUP, SIGUSR1 and SIGUSR2 ask the token that is returned to stop; a second one of the
// same kind ends the program at once. One that the caller has set aside, as nohup does with SIGHUP, stays so.
std::shared_ptr<const StopToken> watch_signals();

}  // namespace pleat::cli
