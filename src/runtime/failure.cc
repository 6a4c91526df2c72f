#include "failure.h"

#include <c10/util/Exception.h>

#include <new>
#include <string_view>
#include <utility>

#include "pleat/core/stop.h"

namespace pleat {
namespace {

SequenceResult out_of_memory(std::int64_t row) {
  return failed_result(row, "out_of_memory", "the machine has not enough memory for a sequence of this length");
}

// LibTorch has no type of its own for an allocation that fails on a CPU.
bool is_out_of_memory(const c10::Error& error) {
  return std::string_view(error.what_without_backtrace()).find("DefaultCPUAllocator") != std::string_view::npos;
}

}  // namespace

SequenceResult failed_result(std::int64_t row, const char* code, std::string message) {
  SequenceResult result;
  result.row = row;
  result.failed = true;
  result.error_code = code;
  result.message = std::move(message);
  return result;
}

SequenceResult failure_of_current_exception(std::int64_t row) {
  try {
    throw;
  } catch (const Stopped&) {
    throw;
  } catch (const std::bad_alloc&) {
    return out_of_memory(row);
  } catch (const c10::Error& error) {
    if (is_out_of_memory(error)) return out_of_memory(row);
    return failed_result(row, "compute_failed", error.what_without_backtrace());
  } catch (const std::exception& error) {
    return failed_result(row, "compute_failed", error.what());
  }
}

}  // namespace pleat
