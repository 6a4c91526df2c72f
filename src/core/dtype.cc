#include "core/dtype.h"

#include <array>

namespace pleat {

std::optional<DType> dtype_from_name(std::string_view name) {
  constexpr std::array all{DType::float32, DType::float16, DType::bfloat16, DType::int64, DType::uint8};
  for (const DType type : all) {
    if (name_of(type) == name) return type;
  }
  return std::nullopt;
}

}  // namespace pleat
