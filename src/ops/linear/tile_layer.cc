// Linear layers by products of bfloat16 tiles, shared among the threads.
#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "ops/linear/processor.h"
#include "ops/pair_tasks.h"

namespace pleat {
namespace {

constexpr std::int64_t panel_columns = cpu::block_side;
// Rows whose tiles stay in the second-level cache while the panels of a weight go past.
constexpr std::int64_t task_rows = 128;

class TileLinearLayer : public ProcessorLinear {
 public:
  TileLinearLayer(const cpu::TileKernels& kernels, const at::Tensor& weight, const at::Tensor& bias,
                  Activation activation)
      : kernels_(kernels),
        in_(weight.size(1)),
        out_(weight.size(0)),
        ending_(ending_of(activation)),
        panels_(right_tiles_of(weight)),
        bias_(padded_bias(bias, out_)) {}

  [[nodiscard]] at::Tensor multiply(const at::Tensor& x) const override {
    at::Tensor y = at::empty({x.size(0), out_}, x.options());
    write(y, x);
    return y;
  }

  void write(at::Tensor& y, const at::Tensor& x) const override { run(x, y, ending_); }

  void add_to(at::Tensor& sum, const at::Tensor& x) const override { run(x, sum, cpu::Ending::add); }

 private:
  void run(const at::Tensor& given, at::Tensor& y, cpu::Ending ending) const {
    const at::Tensor x = given.contiguous();  // [T, K]
    const std::int64_t rows = x.size(0);
    const std::int64_t panels = cpu::whole_blocks(out_) / panel_columns;
    const std::int64_t row_tasks = (rows + task_rows - 1) / task_rows;
    const std::int64_t wanted =
        (std::int64_t{4} * at::get_num_threads() + row_tasks - 1) / std::max<std::int64_t>(1, row_tasks);
    const std::int64_t groups = std::clamp<std::int64_t>(wanted, 1, (panels + 3) / 4);
    const std::int64_t group_panels = (panels + groups - 1) / groups;
    const auto* const h_x = static_cast<const std::uint16_t*>(x.const_data_ptr());
    const auto* const h_weight = static_cast<const std::uint16_t*>(panels_.const_data_ptr());
    auto* const h_y = static_cast<char*>(y.mutable_data_ptr());
    const std::int64_t panel_size = cpu::tiles_size(in_, panel_columns);
    const auto width = static_cast<std::int64_t>(y.element_size());
    for_each_task(row_tasks * groups, [&](std::int64_t task, cpu::PairScratch&) {
      thread_local cpu::TileScratch scratch;
      const std::int64_t row = task / groups * task_rows;
      const std::int64_t panel = task % groups * group_panels;
      if (panel >= panels) return;
      const std::int64_t column = panel * panel_columns;
      cpu::TileLinear job;
      job.x = h_x + row * in_;
      job.rows = std::min(task_rows, rows - row);
      job.in = in_;
      job.weight = h_weight + panel * panel_size;
      job.bias = bias_.const_data_ptr<float>() + column;
      job.columns = std::min(group_panels * panel_columns, out_ - column);
      job.out = h_y + (row * out_ + column) * width;
      job.out_stride = out_;
      job.ending = ending;
      kernels_.linear(job, scratch);
    });
  }

  const cpu::TileKernels& kernels_;
  std::int64_t in_;
  std::int64_t out_;
  cpu::Ending ending_;
  at::Tensor panels_;  // the weight as a right operand
  at::Tensor bias_;    // [N], filled up to whole panels
};

// The unit's first use in this process: its products are compared with plain arithmetic, in shapes with all kinds of
// edges. A processor, hypervisor or emulator that computes anything else must not be trusted with a night's work.
bool computes_rightly(const cpu::TileKernels& kernels) {
  const auto numbers = [](std::int64_t rows, std::int64_t columns, float step) {
    return probe_numbers(rows, columns, at::kBFloat16, step);
  };
  for (const auto& [in, out] : {std::pair<std::int64_t, std::int64_t>{40, 72}, {576, 33}}) {
    const at::Tensor weight = numbers(out, in, 0.7548777F);
    const at::Tensor bias = numbers(1, out, 0.3819660F).view({out});
    const at::Tensor x = numbers(56, in, 0.5698403F);
    const TileLinearLayer layer(kernels, weight, bias, Activation::gelu);
    const at::Tensor right = at::gelu(at::linear(x.to(at::kDouble), weight.to(at::kDouble), bias.to(at::kDouble)));
    const double error = (layer.multiply(x).to(at::kDouble) - right).abs().max().item<double>();
    if (!(error < 8e-3 * right.abs().max().item<double>())) return false;
    if (!rows_are_independent(layer, in, at::kBFloat16)) return false;
  }
  return true;
}

bool is_trusted(const cpu::TileKernels& kernels) {
  static std::mutex mutex;
  static std::map<const cpu::TileKernels*, bool> known;
  const std::scoped_lock lock(mutex);
  const auto [found, is_new] = known.try_emplace(&kernels, false);
  if (is_new) found->second = computes_rightly(kernels);
  return found->second;
}

using Pack = void(const std::uint16_t* weight, std::int64_t in, std::int64_t out, std::uint16_t* tiles);

at::Tensor packed(const at::Tensor& weight, Pack* pack) {
  const at::Tensor rows = weight.to(at::kBFloat16).contiguous();  // [out, in]
  at::Tensor tiles = at::empty({cpu::tiles_size(rows.size(1), rows.size(0))}, at::kBFloat16);
  pack(static_cast<const std::uint16_t*>(rows.const_data_ptr()), rows.size(1), rows.size(0),
       static_cast<std::uint16_t*>(tiles.mutable_data_ptr()));
  return tiles;
}

}  // namespace

at::Tensor right_tiles_of(const at::Tensor& weight) { return packed(weight, cpu::pack_right_tiles); }
at::Tensor left_tiles_of(const at::Tensor& weight) { return packed(weight, cpu::pack_left_tiles); }

const cpu::TileKernels* trusted_tile_kernels() {
  const cpu::TileKernels* const kernels = cpu::tile_kernels();
  return kernels != nullptr && is_trusted(*kernels) ? kernels : nullptr;
}

ProcessorLinearPtr make_tile_linear(const cpu::TileKernels& kernels, const at::Tensor& weight, const at::Tensor& bias,
                                    Activation activation) {
  return std::make_shared<TileLinearLayer>(kernels, weight, bias, activation);
}

ProcessorLinearPtr make_tile_linear(const at::Tensor& weight, const at::Tensor& bias, Activation activation) {
  const cpu::TileKernels* const kernels = cpu::tile_kernels();
  // Three products of bfloat16 could replace one of float32, but not within the bounds of parity: see
  // docs/performance.md.
  if (kernels == nullptr || weight.scalar_type() != at::kBFloat16) return nullptr;
  if (!is_trusted(*kernels)) {
    note_linear_way(std::string(kernels->name) + " not used, since they do not compute what plain arithmetic does");
    return nullptr;
  }
  note_linear_way(kernels->name);
  return make_tile_linear(*kernels, weight, bias, activation);
}

}  // namespace pleat
