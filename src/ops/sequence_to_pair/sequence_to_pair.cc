#include "ops/sequence_to_pair/sequence_to_pair.h"

#include <ATen/ATen.h>

#include "ops/device_ops.h"
#include "ops/general.h"
#include "ops/linear/processor.h"
#include "ops/pair_tasks.h"
#include "tensor/device.h"

namespace pleat {

void sequence_to_pair_reference(at::Tensor& z, const at::Tensor& qk, const SequenceToPairWeights& w) {
  const auto parts = qk.chunk(2, 1);           // [L, K] each
  const at::Tensor q = parts[0].unsqueeze(0);  // [1, L, K]
  const at::Tensor k = parts[1].unsqueeze(1);  // [L, 1, K]
  z += at::linear(at::cat({q * k, q - k}, 2), w.out.weight, w.out.bias);
}

SequenceToPair::SequenceToPair(const SequenceToPairWeights& weights, at::ScalarType operands)
    : bias_(weights.out.bias) {
  if (!on_processor(weights.out.weight)) {
    weights_ = weights;
    const auto make = device_ops(weights.out.weight).sequence_to_pair;
    if (operands == at::kBFloat16 && make != nullptr) own_ = make(weights);
    return;
  }
  const auto parts = weights.out.weight.chunk(2, 1);  // [C, K] each
  tiles_ = operands == at::kBFloat16 ? trusted_tile_kernels() : nullptr;
  product_panels_ = tiles_ != nullptr ? right_tiles_of(parts[0]) : panels_of(parts[0]);
  difference_ = Linear(parts[1].contiguous(), {});
}

void SequenceToPair::operator()(at::Tensor& z, const at::Tensor& qk) const {
  if (!on_processor(z)) return own_ ? own_(z, qk) : general::sequence_to_pair(z, qk, weights_);
  const std::int64_t inner = qk.size(1) / 2;
  const at::Tensor right = difference_(qk.slice(1, 0, inner).contiguous());      // [L, C]
  const at::Tensor left = bias_ - difference_(qk.slice(1, inner).contiguous());  // [L, C]
  const auto* const h_qk = qk.const_data_ptr<float>();
  const auto* const h_left = left.const_data_ptr<float>();
  const auto* const h_right = right.const_data_ptr<float>();
  const auto update = [&]<class Job>(void (*kernel)(const cpu::Run&, const Job&, cpu::PairScratch&)) {
    for_each_run(z, false, [&](std::int64_t i, std::int64_t j, const cpu::Run& run, cpu::PairScratch& scratch) {
      Job job;
      job.channels = z.size(2);
      job.inner = inner;
      job.weight = static_cast<decltype(job.weight)>(product_panels_.const_data_ptr());
      job.left = h_left + i * z.size(2);
      job.right = h_right + j * z.size(2);
      job.first = h_qk + i * 2 * inner + inner;
      job.second = h_qk + j * 2 * inner;
      job.second_stride = 2 * inner;
      kernel(run, job, scratch);
    });
  };
  if (tiles_ != nullptr) {
    update(tiles_->outer_update);
  } else {
    update(cpu::kernels().outer_update);
  }
}

}  // namespace pleat
