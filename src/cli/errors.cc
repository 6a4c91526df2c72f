#include "cli/errors.h"

#include <spdlog/spdlog.h>

#include <array>
#include <exception>
#include <new>
#include <system_error>

#include "core/stop.h"

namespace pleat::cli {
namespace {

constexpr std::array statuses{
    ExitStatus{"0", "Done"},
    ExitStatus{"64", "The command line is wrong"},
    ExitStatus{
        "65",
        "Some records or inputs were bad, and all else is written; not from run: a file of weights or results is\n"
        "damaged"},
    ExitStatus{"66", "No input can be read, or the weights are missing or damaged"},
    ExitStatus{"69", "No such device, or it cannot compute in the precision asked for"},
    ExitStatus{"70", "A bug in pleat"},
    ExitStatus{"73", "An output cannot be created"},
    ExitStatus{"74", "An output cannot be written"},
    ExitStatus{"75", "Worth retrying: disk full, not enough memory, no network, a device lost, --max-time over"},
    ExitStatus{"78", "The manifest is wrong"},
    ExitStatus{"128 + N", "Ended by signal N; the same command resumes it"},
};

int report_bug(const std::exception& error) {
  spdlog::error("this should not happen, please report it: {}", error.what());
  return 70;
}

}  // namespace

std::span<const ExitStatus> exit_statuses() { return statuses; }

int exit_status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::usage: return 64;
    case ErrorCode::bad_input: return 65;
    case ErrorCode::missing_input: return 66;
    case ErrorCode::no_device: return 69;
    case ErrorCode::internal: return 70;
    case ErrorCode::cannot_create: return 73;
    case ErrorCode::io: return 74;
    case ErrorCode::retry: return 75;
    case ErrorCode::bad_manifest: return 78;
  }
  return 70;
}

int report_current_exception() {
  try {
    throw;
  } catch (const Error& error) {
    spdlog::error("{}", error.what());
    if (!error.hint().empty()) spdlog::error("hint: {}", error.hint());
    return exit_status_of(error.code());
  } catch (const Stopped& stopped) {
    spdlog::error("stopped by signal {}; no file was left half-written", stopped.signal());
    return 128 + stopped.signal();
  } catch (const std::bad_alloc&) {
    spdlog::error("the machine has not enough memory for this");
    spdlog::error("hint: a smaller run.max_tokens_per_batch needs less; so does a smaller model");
    return exit_status_of(ErrorCode::retry);
  } catch (const std::system_error& error) {
    // What std::thread throws when the system gives no thread; it reaches this from any part of the program.
    if (error.code() != std::errc::resource_unavailable_try_again) return report_bug(error);
    spdlog::error("the system gives this process no more threads");
    spdlog::error("hint: raise the limit on processes (ulimit -u, pids.max of the cgroup), or ask for fewer devices");
    return exit_status_of(ErrorCode::retry);
  } catch (const std::exception& error) {
    return report_bug(error);
  }
}

}  // namespace pleat::cli
