#include "tensor/vector_math.h"

#include <ATen/ATen.h>

#include <mutex>

namespace pleat {
namespace {

// Every function that ATen/cpu/vml.h gives to MKL.
void call_each(at::ScalarType type) {
  const at::Tensor x = at::full({8}, 0.5, type);  // too few for a second thread
  using Function = at::Tensor (*)(const at::Tensor&);
  for (const Function function : {Function(at::acos), Function(at::asin), Function(at::atan), Function(at::cos),
                                  Function(at::erf), Function(at::erfc), Function(at::erfinv), Function(at::exp),
                                  Function(at::log), Function(at::log10), Function(at::log2), Function(at::sin),
                                  Function(at::sqrt), Function(at::tan), Function(at::tanh), Function(at::trunc)}) {
    function(x);
  }
}

}  // namespace

void settle_vector_math() {
  static std::once_flag once;
  std::call_once(once, [] {
    call_each(at::kFloat);
    call_each(at::kDouble);
  });
}

}  // namespace pleat
