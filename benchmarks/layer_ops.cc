// Times what one layer of ESM-2 does on the processor, in the published widths and with random weights, beside this
// machine's matrix product: layer_ops [8M|35M|150M|650M]... prints a table for each. Every round takes the products of
// SGEMM and each operation in turn, in processor time, so that other work on the machine disturbs the ratios little. It
// must run with one kind of precision per call: layer_ops bf16 150M.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ops/attention/attention.h"
#include "ops/layer_norm/layer_norm.h"
#include "ops/linear/processor.h"
#include "processor_time.h"

namespace pleat {
namespace {

constexpr int rounds = 9;
constexpr std::int64_t block = 256;  // rows that the forward pass takes from one product to the next
const std::vector<std::int64_t> lengths = {480, 412, 344, 296, 232, 180};

struct Shape {
  std::int64_t width;
  std::int64_t heads;
};

struct Operation {
  std::string name;
  double flops;
  bool in_layer;  // false: another way of one that is
  std::function<void()> call;
  std::vector<double> seconds = {};
  std::vector<double> rates = {};  // over SGEMM's of the same round
};

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

double seconds_once(const std::function<void()>& call) {
  const double start = processor_seconds();
  call();
  return (processor_seconds() - start) / at::get_num_threads();
}

// Calls body for all blocks of rows.
std::function<void()> in_blocks(std::int64_t rows, std::function<void(std::int64_t, std::int64_t)> body) {
  return [rows, body = std::move(body)] {
    for (std::int64_t begin = 0; begin < rows; begin += block) body(begin, std::min(begin + block, rows));
  };
}

class Layer {
 public:
  Layer(Shape shape, at::ScalarType type) : shape_(shape), type_(type) {
    cu_seqlens_ = {0};
    for (const std::int64_t length : lengths) cu_seqlens_.push_back(cu_seqlens_.back() + length);
    rows_ = cu_seqlens_.back();
    rotary_ = RotaryTable::make(lengths.front(), RotaryTable::frequencies(shape.width / shape.heads));
    hidden_ = at::randn({rows_, shape.width});
    qkv_ = at::randn({rows_, 3, shape.heads, shape.width / shape.heads}).to(type);
  }

  std::vector<Operation> operations() {
    const std::int64_t D = shape_.width;
    std::vector<Operation> all;
    add_linear(all, "qkv", D, 3 * D, Activation::none, false);
    add_attention(all);
    add_linear(all, "attention, output", D, D, Activation::none, true);
    add_linear(all, "feed forward, in", D, 4 * D, Activation::gelu, false);
    add_linear(all, "feed forward, in, without GELU", D, 4 * D, Activation::none, false, true);
    add_linear(all, "feed forward, out", 4 * D, D, Activation::none, true);
    const at::Tensor ones = at::ones({D});
    const at::Tensor zeros = at::zeros({D});
    all.push_back({"two layer norms", 0, true, in_blocks(rows_, [=, this](std::int64_t begin, std::int64_t end) {
                     at::Tensor residual = hidden_.slice(0, begin, end);
                     for (int i = 0; i < 2; ++i) (void)add_layer_norm(residual, {}, ones, zeros, 1e-5, type_);
                   })});
    return all;
  }

 private:
  void add_attention(std::vector<Operation>& all) {
    double pairs = 0;
    for (const std::int64_t length : lengths) pairs += static_cast<double>(length * length);
    all.push_back({"attention", 4.0 * pairs * static_cast<double>(shape_.width), true,
                   [this] { (void)attention({qkv_, &cu_seqlens_, &rotary_}); }});
  }

  // In the way that is chosen here, and in the others.
  void add_linear(std::vector<Operation>& all, const std::string& name, std::int64_t in, std::int64_t out,
                  Activation activation, bool adds, bool only_chosen = false) {
    const at::Tensor weight = (at::randn({out, in}) / std::sqrt(static_cast<double>(in))).to(type_);
    const at::Tensor bias = at::randn({out}).to(type_);
    const at::Tensor x = at::randn({rows_, in}).to(type_);
    at::Tensor y = adds ? at::zeros({rows_, out}) : at::empty({rows_, out}, x.options());
    const double flops = 2.0 * static_cast<double>(rows_ * in * out);
    const auto add = [&](const std::string& way, bool chosen, const ProcessorLinearPtr& layer) {
      if (layer == nullptr) return;
      all.push_back(
          {name + way, flops, chosen && !only_chosen, in_blocks(rows_, [=](std::int64_t begin, std::int64_t end) {
             at::Tensor to = y.slice(0, begin, end);
             if (adds) {
               layer->add_to(to, x.slice(0, begin, end));
             } else {
               layer->write(to, x.slice(0, begin, end));
             }
           })});
    };
    add("", true, make_processor_linear(weight, bias, activation, Rows::packed));
    if (only_chosen) return;
    add(" (oneDNN)", false, make_onednn_linear(weight, bias, activation, Rows::packed));
    add(" (our own)", false, make_panel_linear(weight, bias, activation));
  }

  Shape shape_;
  at::ScalarType type_;
  std::int64_t rows_ = 0;
  std::vector<std::int64_t> cu_seqlens_;
  RotaryTable rotary_;
  at::Tensor hidden_;
  at::Tensor qkv_;
};

void print(const std::string& name, const std::vector<Operation>& operations, double sgemm) {
  double total = 0;
  double at_sgemm = 0;  // what the layer would take at SGEMM's rate
  double linear_at_sgemm = 0;
  for (const Operation& operation : operations) {
    if (!operation.in_layer) continue;
    total += median(operation.seconds);
    if (operation.flops == 0) continue;
    at_sgemm += median(operation.rates) * median(operation.seconds);
    if (operation.name != "attention") linear_at_sgemm += median(operation.rates) * median(operation.seconds);
  }
  fmt::print(
      "\n{}; SGEMM {:.0f} GFLOP/s\n\n| operation | ms | GFLOP/s | of SGEMM | share |\n| --- | --- | --- | --- | --- "
      "|\n",
      name, sgemm / 1e9);
  for (const Operation& operation : operations) {
    const double seconds = median(operation.seconds);
    fmt::print("| {} | {:.1f} | {:.0f} | {:.1f} % | {} |\n", operation.name, seconds * 1e3,
               operation.flops / seconds / 1e9, 100 * median(operation.rates),
               operation.in_layer ? fmt::format("{:.1f} %", 100 * seconds / total) : "");
  }
  fmt::print("| the layer | {:.1f} | | {:.1f} %, linear layers alone counted {:.1f} % | |\n", total * 1e3,
             100 * at_sgemm / total, 100 * linear_at_sgemm / total);
}

void measure(const std::string& name, Shape shape, at::ScalarType type) {
  Layer layer(shape, type);
  std::vector<Operation> operations = layer.operations();
  const at::Tensor a = at::randn({1536, 1536});
  const at::Tensor b = at::randn({1536, 1536});
  at::Tensor c = at::empty({1536, 1536});
  const auto sgemm = [&] { return 2.0 * 1536 * 1536 * 1536 / seconds_once([&] { at::mm_out(c, a, b); }); };
  std::vector<double> sgemms;
  for (int round = -1; round < rounds; ++round) {
    for (Operation& operation : operations) {
      const double before = sgemm();
      const double seconds = seconds_once(operation.call);
      const double after = sgemm();
      if (round < 0) continue;  // to warm up
      sgemms.push_back(before);
      operation.seconds.push_back(seconds);
      operation.rates.push_back(operation.flops / seconds / (2 / (1 / before + 1 / after)));
    }
  }
  print(name, operations, median(sgemms));
}

}  // namespace
}  // namespace pleat

int main(int count, char** arguments) {
  const c10::InferenceMode guard;
  const std::map<std::string, pleat::Shape> shapes = {
      {"8M", {320, 20}}, {"35M", {480, 20}}, {"150M", {640, 20}}, {"650M", {1280, 20}}};
  at::ScalarType type = at::kFloat;
  for (int i = 1; i < count; ++i) {
    if (std::string_view(arguments[i]) == "bf16") {
      type = at::kBFloat16;
    } else if (shapes.contains(arguments[i])) {
      pleat::measure(arguments[i], shapes.at(arguments[i]), type);
    } else {
      fmt::print(stderr, "layer_ops [bf16] 8M|35M|150M|650M ...\n");
      return 64;
    }
  }
  return 0;
}
