// The hash of the weights, computed beside the work.
#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "core/stop.h"
#include "weights/checkpoint.h"

namespace pleat {

// Starts reading at once and stops when the run does, also when this is destroyed, so that a run that ends early does
// not wait for it.
class ModelHash {
 public:
  // `checkpoint` must outlive this object; `run` may be null.
  ModelHash(const Checkpoint& checkpoint, std::shared_ptr<const StopToken> run)
      : stop_(std::move(run)), thread_([this, &checkpoint] { compute(checkpoint); }) {}
  ~ModelHash() { stop_.request(StopReason::failure); }
  ModelHash(const ModelHash&) = delete;
  ModelHash& operator=(const ModelHash&) = delete;

  [[nodiscard]] bool is_ready() const { return ready_.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }
  // Waits for the end, or throws Stopped. Empty where the files could not be read to their end; then error() says why.
  [[nodiscard]] const std::string& get(const StopToken& stop) const {
    while (ready_.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready) throw_if_stopped(&stop);
    return hash_;
  }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  // A disk that fails now must not cost the results of a night: the weights in memory are what was computed with.
  void compute(const Checkpoint& checkpoint) {
    try {
      hash_ = checkpoint.sha256(&stop_);
    } catch (const Stopped&) {
      return;  // who waits for it has been asked to stop too
    } catch (const std::exception& error) {
      error_ = error.what();
    }
    done_.set_value();
  }

  StopToken stop_;
  std::string hash_;
  std::string error_;
  std::promise<void> done_;
  std::shared_future<void> ready_ = done_.get_future().share();
  std::jthread thread_;  // last: it uses the others
};

}  // namespace pleat
