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

  [[nodiscard]] at::Tensor multiply(const at::Tensor& x) const override {
    at::Tensor y = at::empty({x.size(0), out_features_}, x.options());
    write(y, x);
    return y;
  }

  void write(at::Tensor& y, const at::Tensor& x) const override { run(x, y, ending_); }

  void add_to(at::Tensor& sum, const at::Tensor& x) const override { run(x, sum, cpu::Ending::add); }

 private:
  void run(const at::Tensor& given, at::Tensor& y, cpu::Ending ending) const {
    const at::Tensor x = given.to(at::kFloat).contiguous();  // [T, K]
    const std::int64_t rows = x.size(0);
    const auto* const h_x = x.const_data_ptr<float>();
    const auto* const h_panels = static_cast<const char*>(panels_.const_data_ptr());
    const auto* const h_bias = bias_.const_data_ptr<float>();
    auto* const h_y = static_cast<char*>(y.mutable_data_ptr());
    // Tasks of some rows and one panel of columns; blocks of rows only where there are too few panels to go round.
    const std::int64_t column_tasks = (out_features_ + cpu::run_length - 1) / cpu::run_length;
    const std::int64_t wanted = (std::int64_t{4} * at::get_num_threads() + column_tasks - 1) / column_tasks;
    const std::int64_t most = std::clamp<std::int64_t>(rows / 48, 1, wanted);
    const std::int64_t row_step = ((rows + most - 1) / most + 11) / 12 * 12;  // whole tiles of 6 or 4 rows
    const std::int64_t row_tasks = (rows + row_step - 1) / row_step;
    for_each_task(column_tasks * row_tasks, [&](std::int64_t task, cpu::PairScratch& scratch) {
      const std::int64_t column = task / row_tasks * cpu::run_length;
      const std::int64_t row = task % row_tasks * row_step;
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
