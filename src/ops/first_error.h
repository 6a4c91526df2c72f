// Exceptions and OpenMP: none may leave a parallel region, so one that is thrown inside waits here until its end.
#pragma once

#include <atomic>
#include <exception>

namespace pleat {

class FirstError {
 public:
  // Does the work, unless some thread's has failed already.
  template <class Work>
  void guard(const Work& work) noexcept {
    if (failed_) return;
    try {
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
  std::atomic<bool> failed_ = false;
  std::exception_ptr error_;
};

}  // namespace pleat
