#include "tensor/device.h"

namespace pleat {
namespace {

bool& general_everywhere() {
  static bool set = false;
  return set;
}

}  // namespace

bool on_processor(const at::Tensor& x) { return x.is_cpu() && !general_everywhere(); }

void use_general_operations(bool everywhere) { general_everywhere() = everywhere; }

}  // namespace pleat
