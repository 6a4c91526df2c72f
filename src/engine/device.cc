#include "engine/device.h"

#include <utility>

namespace pleat {

SequenceResult failed_result(std::int64_t row, RecordCode code, std::string message) {
  SequenceResult result;
  result.row = row;
  result.failed = true;
  result.error_code = word_of(code);
  result.message = std::move(message);
  return result;
}

}  // namespace pleat
