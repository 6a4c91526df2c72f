// Another try after a pause, a few times.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "hub/http.h"

namespace pleat {

class Retry {
 public:
  // `notice` is told why a transfer is tried again. `hint` is for the Error in the end. `stop` ends the sleep; it may
  // be null.
  Retry(std::function<void(const std::string&)> notice, std::string hint, const StopToken* stop = nullptr);

  // Sleeps: 0.5 s after the first failure in a row, then twice as long each time, or as long as the server asks.
  // Throws Error(retry) with the failure's text after the fifth failure in a row, and Stopped.
  void after(const TransientFailure& failure);
  // Something has come through: earlier failures no longer count.
  void forget() { failures_ = 0; }

 private:
  std::function<void(const std::string&)> notice_;
  std::string hint_;
  const StopToken* stop_;
  int failures_ = 0;
};

// Calls `action` until it does not throw TransientFailure.
template <typename Action>
auto with_retries(Retry& retry, const Action& action) {
  while (true) {
    try {
      return action();
    } catch (const TransientFailure& failure) {
      retry.after(failure);
    }
  }
}

}  // namespace pleat
