#include "ops/pair_transition/pair_transition.h"

#include <ATen/ATen.h>

#include "ops/device_ops.h"
#include "ops/general.h"
#include "ops/linear/processor.h"
#include "ops/pair_tasks.h"
#include "tensor/device.h"

namespace pleat {

void pair_transition_reference(at::Tensor& z, const PairTransitionWeights& w) {
  const at::Tensor y = normalize(z, w.norm);  // [L, L, C]
  z += at::linear(at::linear(y, w.in.weight, w.in.bias).relu(), w.out.weight, w.out.bias);
}

PairTransition::PairTransition(const PairTransitionWeights& weights, at::ScalarType operands) : weights_(weights) {
  if (!on_processor(weights.in.weight)) {
    const auto make = device_ops(weights.out.weight).pair_transition;
    if (operands == at::kBFloat16 && make != nullptr) own_ = make(weights);
    return;
  }
  tiles_ = operands == at::kBFloat16 ? trusted_tile_kernels() : nullptr;
  const auto packed = tiles_ != nullptr ? right_tiles_of : panels_of;
  in_panels_ = packed(weights.in.weight);
  out_panels_ = packed(weights.out.weight);
  for (Projection* p : {&weights_.in, &weights_.out}) {
    p->bias = padded_bias(p->bias, p->weight.size(0));
    p->weight = p->weight.new_empty({p->weight.size(0), 0});  // only its size is still needed
  }
}

template <class Job>
void PairTransition::fill(Job& job) const {
  using Weight = decltype(job.in);
  job.channels = weights_.out.weight.size(0);
  job.hidden = weights_.in.weight.size(0);
  job.norm = norm_of(weights_.norm);
  job.in = static_cast<Weight>(in_panels_.const_data_ptr());
  job.in_bias = weights_.in.bias.const_data_ptr<float>();
  job.out = static_cast<Weight>(out_panels_.const_data_ptr());
  job.out_bias = weights_.out.bias.const_data_ptr<float>();
}

void PairTransition::operator()(at::Tensor& z) const {
  if (!on_processor(z)) return own_ ? own_(z) : general::pair_transition(z, weights_);
  if (tiles_ != nullptr) {
    cpu::TilePairTransition job;
    fill(job);
    for_each_run(z, false, [&](std::int64_t, std::int64_t, const cpu::Run& run, cpu::PairScratch& scratch) {
      tiles_->transition(run, job, scratch);
    });
    return;
  }
  cpu::PairTransition job;
  fill(job);
  const cpu::Kernels& kernels = cpu::kernels();
  for_each_run(z, false, [&](std::int64_t, std::int64_t, const cpu::Run& run, cpu::PairScratch& scratch) {
    kernels.transition(run, job, scratch);
  });
}

}  // namespace pleat
