// Exceptions and OpenMP: none may leave a parallel region, so one that is thrown inside waits here until its end. To be
// made before the region, by the thread whose StopScope counts.
#pragma once

#include <atomic>
#include <exception>

#include "core/stop.h"

namespace pleat {

class FirstError {
 public:
  // Does the work, unless some thread's has failed already or the run is to stop.
  template <class Work>
  void guard(const Work& work) noexcept {
    if (failed_) return;
    try {
      throw_if_stopped(stop_);
      work();
    } catch (...) {
      if (!failed_.exchange(true)) error_ = std::current_exception();
    }
  }

  // After the region.
  void rethrow() const {
    if (error_ != nullptr) std::rethrow_exception(error_);
  }

 private:
  const StopToken* stop_ = StopScope::current();
  std::atomic<bool> failed_ = false;
  std::exception_ptr error_;
};

}  // namespace pleat
