// Invariant point attention by the kernels beside this file.
#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>

#include "cuda/ops.h"
#include "ops/cuda/tensors.h"
#include "ops/point_attention/kernels.h"

namespace pleat::cuda {

at::Tensor invariant_point_attention(const InvariantPointInput& given) {
  namespace kernels = point_attention;
  const auto& [heads, width, query_points, value_points] = given.shape;
  const bool shape_suits = heads == kernels::heads && width == kernels::width &&
                           query_points == kernels::query_points && value_points == kernels::value_points &&
                           given.pair.size(2) == kernels::channels && given.pair.is_contiguous() &&
                           given.bias.is_contiguous() && given.projected.is_contiguous();
  if (!uses_kernels("point_attention", shape_suits, kernels::suits(gpu_of(given.pair)))) return {};
  const c10::DeviceGuard guard(given.pair.device());
  const int length = static_cast<int>(given.pair.size(0));
  const at::Tensor rotations = given.frames.rotations.contiguous();
  const at::Tensor translations = given.frames.translations.contiguous();
  const auto room = [&](int numbers) { return at::empty({heads, length, numbers}, given.pair.options()); };
  const at::Tensor queries = room(kernels::key_floats);
  const at::Tensor keys = room(kernels::key_floats);
  const at::Tensor values = room(kernels::value_floats);
  const at::Tensor out = at::empty({length, kernels::mixed_width}, given.pair.options());
  const kernels::Input input{.projected = given.projected.const_data_ptr<float>(),
                             .rotations = rotations.const_data_ptr<float>(),
                             .translations = translations.const_data_ptr<float>(),
                             .pair = given.pair.const_data_ptr<float>(),
                             .bias = given.bias.const_data_ptr<float>(),
                             .point_weight = given.point_weight.const_data_ptr<float>(),
                             .epsilon = static_cast<float>(given.epsilon)};
  const kernels::Buffers buffers{.queries = queries.mutable_data_ptr<float>(),
                                 .keys = keys.mutable_data_ptr<float>(),
                                 .values = values.mutable_data_ptr<float>()};
  const cudaStream_t stream = stream_of(given.pair);
  check_launch(kernels::place(input, buffers, length, stream), "point_attention::place");
  check_launch(kernels::attend(input, buffers, out.mutable_data_ptr<float>(), length, stream),
               "point_attention::attend");
  return out;
}

}  // namespace pleat::cuda
