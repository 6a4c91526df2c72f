#include "runtime/result_sink.h"

#include <fmt/format.h>

#include <utility>

namespace pleat {
namespace {

using Clock = std::chrono::steady_clock;

// How often it is written down what is under way.
constexpr std::chrono::seconds under_way_interval{5};

}  // namespace

void ResultSink::take(SequenceResult result) {
  const std::int64_t row = result.row;
  if (cache_ != nullptr) cache_->keep(sequences_, result);
  files_.add(std::move(result));
  under_way_.end(row);
  progress_.add(row);
}

void ResultSink::on_idle() {
  if (!model_known_ && model_hash_.is_ready()) {
    model_known_ = true;
    if (model_hash_.error().empty()) files_.writer().set_model(model_hash_.get(never_));
  }
  note_under_way();
  files_.writer().sync_if_due();
}

void ResultSink::warn(const std::string& line) { observer_.warning(line); }

void ResultSink::lose_device(const std::string& device, const std::string& why, const std::vector<std::int64_t>& rows) {
  observer_.warning(fmt::format("{} is lost while it computes {} sequence{}: {}", device, rows.size(),
                                rows.size() == 1 ? "" : "s", why));
  for (const std::int64_t row : rows) under_way_.end(row);
  files_.writer().add_loss(rows);
  files_.writer().sync();
}

// A run that is killed has no time for it at its end.
void ResultSink::note_under_way() {
  if (Clock::now() - noted_ < under_way_interval) return;
  noted_ = Clock::now();
  files_.writer().set_under_way(under_way_.rows());
}

}  // namespace pleat
