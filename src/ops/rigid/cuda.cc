// The update of frames by the kernel beside this file.
#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>

#include "cuda/ops.h"
#include "ops/cuda/tensors.h"
#include "ops/rigid/kernels.h"

namespace pleat::cuda {
namespace {

rigid::Frames pointers_of(const Rigid& frames) {
  return {frames.rotations.mutable_data_ptr<float>(), frames.quaternions.mutable_data_ptr<float>(),
          frames.translations.mutable_data_ptr<float>()};
}

}  // namespace

Rigid compose_rigid(const Rigid& frames, const at::Tensor& update) {
  if (!uses_kernels("rigid", true, true)) return {};
  const c10::DeviceGuard guard(update.device());
  const Rigid from{.rotations = frames.rotations.contiguous(),
                   .quaternions = frames.quaternions.contiguous(),
                   .translations = frames.translations.contiguous()};
  const at::Tensor given = update.contiguous();
  const Rigid to{.rotations = at::empty_like(from.rotations),
                 .quaternions = at::empty_like(from.quaternions),
                 .translations = at::empty_like(from.translations)};
  check_launch(rigid::compose(pointers_of(from), given.const_data_ptr<float>(), pointers_of(to),
                              static_cast<int>(given.size(0)), stream_of(given)),
               "rigid");
  return to;
}

}  // namespace pleat::cuda
