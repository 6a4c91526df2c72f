// The hash of the weights, computed beside the work.
#pragma once

#include <string>
#include <thread>

#include "pleat/weights/checkpoint.h"

namespace pleat {

// Starts reading at once and stops early when it is destroyed, so that a run that ends early does not wait for it.
class ModelHash {
 public:
  // `checkpoint` must outlive this object.
  explicit ModelHash(const Checkpoint& checkpoint)
      : thread_([this, &checkpoint](const std::stop_token& stop) { compute(checkpoint, stop); }) {}

  // Waits for the end. Empty where the files could not be read to their end; then error() says why.
  [[nodiscard]] const std::string& get() {
    if (thread_.joinable()) thread_.join();
    return hash_;
  }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  // A disk that fails now must not cost the results of a night: the weights in memory are what was computed with.
  void compute(const Checkpoint& checkpoint, const std::stop_token& stop) {
    try {
      hash_ = checkpoint.sha256(stop);
    } catch (const std::exception& error) {
      error_ = error.what();
    }
  }

  std::string hash_;
  std::string error_;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace pleat
