#include "results/early_assembly.h"

#include <utility>

namespace pleat {

EarlyAssembly::EarlyAssembly(std::function<std::unique_ptr<Assembly>()> make, std::function<void()> drop)
    : make_(std::move(make)), drop_(std::move(drop)), thread_([this](const std::stop_token& stop) { work(stop); }) {}

void EarlyAssembly::reach(std::int64_t row) {
  const std::scoped_lock lock(mutex_);
  reached_ = row;
  changed_.notify_all();
}

std::unique_ptr<Assembly> EarlyAssembly::end() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  return std::move(assembly_);
}

void EarlyAssembly::work(const std::stop_token& stop) {
  try {
    hdf5::silence();
    assembly_ = make_();
    std::int64_t taken_in = 0;
    while (true) {
      {
        std::unique_lock lock(mutex_);
        if (!changed_.wait(lock, stop, [&] { return reached_ > taken_in; })) return;
        taken_in = reached_;
      }
      assembly_->take_in(taken_in, [&] { return !stop.stop_requested(); });
    }
  } catch (...) {
    if (assembly_ != nullptr) assembly_->abandon();
    assembly_.reset();
    drop_();
  }
}

}  // namespace pleat
