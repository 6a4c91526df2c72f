// Our own product in float32, with the weight in panels: unlike MKL's it is laid out once and not at every call. A
// bfloat16 weight stays one in memory and is widened panel by panel.
#include <ATen/ATen.h>

#include <algorithm>

#include "ops/element.h"
#include "ops/linear/processor.h"
#include "ops/pair_tasks.h"

namespace pleat {
namespace {

class PanelLinear : public ProcessorLinear {
 public:
  PanelLinear(const at::Tensor& weight, const at::Tensor& bias, Activation activation)
      : panels_(panels_of(weight).to(weight.scalar_type())),
        bias_(padded_bias(bias, weight.size(0))),
        out_features_(weight.size(0)),
        ending_(ending_of(activation)) {}

  at::Tensor multiply(const at::Tensor& x) const override {
    at::Tensor y = at::empty({x.size(0), out_features_}, x.options());
    run(x, y, ending_);
    return y;
  }

  void add_to(at::Tensor& sum, const at::Tensor& x) const override { run(x, sum, cpu::Ending::add); }

 private:
  void run(const at::Tensor& given, at::Tensor& y, cpu::Ending ending) const {
    const at::Tensor x = given.to(at::kFloat).contiguous();  // [T, K]
    const std::int64_t rows = x.size(0);
    const auto* const h_x = x.const_data_ptr<float>();
    const auto* const h_panels = static_cast<const char*>(panels_.const_data_ptr());
    const auto* const h_bias = bias_.const_data_ptr<float>();
    auto* const h_y = static_cast<char*>(y.mutable_data_ptr());
    // Tasks of some rows and one panel of columns; blocks of rows only where there are more threads than panels.
    const std::int64_t column_tasks = (out_features_ + cpu::run_length - 1) / cpu::run_length;
    const std::int64_t threads = at::get_num_threads();
    const std::int64_t row_tasks =
        std::clamp<std::int64_t>(2 * threads / column_tasks, 1, std::max<std::int64_t>(1, rows / 48));
    const std::int64_t row_step = (rows + row_tasks - 1) / row_tasks;
    for_each_task(column_tasks * row_tasks, [&](std::int64_t task, cpu::PairScratch& scratch) {
      const std::int64_t column = task / row_tasks * cpu::run_length;
      const std::int64_t row = task % row_tasks * row_step;
      if (row >= rows) return;
      cpu::LinearColumns job;
      job.in = x.size(1);
      job.x = h_x + row * job.in;
      job.rows = std::min(row_step, rows - row);
      job.weight = h_panels + column * job.in * static_cast<std::int64_t>(panels_.element_size());
      job.element = element_of(panels_);
      job.bias = h_bias + column;
      job.out = h_y + (row * out_features_ + column) * static_cast<std::int64_t>(y.element_size());
      job.out_stride = out_features_;
      job.columns = std::min(cpu::run_length, out_features_ - column);
      job.ending = ending;
      cpu::kernels().linear(job, scratch);
    });
  }

  at::Tensor panels_;  // in the weight's type
  at::Tensor bias_;    // filled up to whole panels
  std::int64_t out_features_;
  cpu::Ending ending_;
};

}  // namespace

ProcessorLinearPtr make_panel_linear(const at::Tensor& weight, const at::Tensor& bias, Activation activation) {
  note_linear_way("our own product");
  return std::make_shared<PanelLinear>(weight, bias, activation);
}

}  // namespace pleat
