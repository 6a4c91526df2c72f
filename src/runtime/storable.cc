#include "runtime/storable.h"

#include <c10/util/Half.h>
#include <fmt/format.h>

#include <cmath>

#include "engine/device.h"

namespace pleat {

bool is_storable(const std::string& what, float reach, DType type, const char* key, SequenceResult& result) {
  if (!std::isfinite(reach)) {
    result = failed_result(result.row, RecordCode::not_finite, what + " holds NaN or infinity");
    return false;
  }
  if (type == DType::float16 && std::isinf(static_cast<float>(c10::Half(reach)))) {
    result =
        failed_result(result.row, RecordCode::float16_overflow,
                      fmt::format("{} reaches {:g}, which float16 cannot hold; set {} to float32", what, reach, key));
    return false;
  }
  return true;
}

}  // namespace pleat
