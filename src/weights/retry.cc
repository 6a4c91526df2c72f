#include "weights/retry.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "core/error.h"

namespace pleat {

Retry::Retry(std::function<void(const std::string&)> notice, std::string hint)
    : notice_(std::move(notice)), hint_(std::move(hint)) {}

void Retry::after(const TransientFailure& failure) {
  constexpr int most = 5;
  constexpr std::chrono::milliseconds first(500);
  ++failures_;
  if (failures_ >= most) throw Error(ErrorCode::retry, failure.what(), hint_);
  if (notice_) notice_(failure.what());
  const std::chrono::milliseconds pause = first * (1 << (failures_ - 1));
  const std::chrono::milliseconds asked = std::chrono::seconds(failure.wait_seconds());
  std::this_thread::sleep_for(std::max(pause, asked));
}

}  // namespace pleat
