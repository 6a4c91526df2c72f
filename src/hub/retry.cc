#include "hub/retry.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "core/error.h"

namespace pleat {

Retry::Retry(std::function<void(const std::string&)> notice, std::string hint, const StopToken* stop)
    : notice_(std::move(notice)), hint_(std::move(hint)), stop_(stop) {}

void Retry::after(const TransientFailure& failure) {
  constexpr int most = 5;
  constexpr std::chrono::milliseconds first(500);
  ++failures_;
  if (failures_ >= most) throw Error(ErrorCode::retry, failure.what(), hint_);
  if (notice_) notice_(failure.what());
  const std::chrono::milliseconds pause = first * (1 << (failures_ - 1));
  const std::chrono::milliseconds asked = std::chrono::seconds(failure.wait_seconds());
  constexpr std::chrono::milliseconds glance(50);
  for (std::chrono::milliseconds left = std::max(pause, asked); left.count() > 0; left -= glance) {
    throw_if_stopped(stop_);
    std::this_thread::sleep_for(std::min(left, glance));
  }
}

}  // namespace pleat
