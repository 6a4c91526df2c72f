// Times what a block of ESMFold's trunk and the structure module do, with the published widths and random weights,
// beside this device's ceilings, which are measured too: its matrix product and its copy.
//
//   trunk_ops [--device cpu|cuda:N] [--precision fp32|tf32|bf16] LENGTH...
//
// prints a table for each length. FLOP and bytes are counted: the least that has to be computed, read and written, with
// the pair state and the sequence state in float32. The floor of an operation is the larger of the times that they take
// at the ceilings. Rates on the processor are of processor time, so that other work on the machine disturbs them
// little.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "esmfold/structure_module.h"
#include "esmfold/tensors.h"
#include "machine/precision.h"
#include "ops/biased_attention/biased_attention.h"
#include "ops/cuda_plugin.h"
#include "ops/pair_bias/pair_bias.h"
#include "ops/pair_transition/pair_transition.h"
#include "ops/sequence_to_pair/sequence_to_pair.h"
#include "ops/triangle_attention/triangle_attention.h"
#include "ops/triangle_multiplication/triangle_multiplication.h"
#include "plan/fold_cost.h"
#include "processor_time.h"

namespace pleat {
namespace {

constexpr std::int64_t C = 128;
constexpr std::int64_t heads = 4;
constexpr std::int64_t sequence_width = 1024;
constexpr std::int64_t sequence_heads = 32;

// Where and in which precision, for the whole program.
struct Setting {
  at::Device device = at::kCPU;
  Precision precision = Precision::float32;

  [[nodiscard]] at::ScalarType type() const { return element_type(precision); }
  // Of the operations on pairs: float32 on a processor, and bfloat16 where linear layers are of 16 bits elsewhere.
  [[nodiscard]] at::ScalarType operands() const { return device.is_cpu() ? at::kFloat : type(); }
};
Setting setting;

at::Tensor random(at::IntArrayRef sizes) { return at::randn(sizes).to(setting.device); }
at::Tensor weight(std::int64_t out, std::int64_t in) { return random({out, in}) / std::sqrt(static_cast<double>(in)); }
Projection projection(std::int64_t out, std::int64_t in) {
  return {weight(out, in) * 0.1, at::zeros({out}).to(setting.device)};
}
LayerNorm norm_of(std::int64_t width) {
  return {at::ones({width}).to(setting.device), at::zeros({width}).to(setting.device)};
}
LayerNorm norm() { return norm_of(C); }
Linear linear(std::int64_t out, std::int64_t in, Activation activation = Activation::none) {
  return {weight(out, in).to(setting.type()), at::zeros({out}).to(setting.device, setting.type()), activation,
          Rows::sequence};
}

// As if all threads had been busy alone; on a GPU, of the clock, once it has done all.
double now() {
  if (setting.device.is_cpu()) return processor_seconds() / at::get_num_threads();
  c10::impl::VirtualGuardImpl(setting.device.type()).synchronizeDevice(setting.device.index());
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// The median over several calls.
double seconds_of(const std::function<void()>& call) {
  call();
  std::vector<double> seconds;
  double total = 0;
  while (seconds.size() < 3 || (seconds.size() < 15 && total < 1.5)) {
    const double start = now();
    call();
    seconds.push_back(now() - start);
    total += seconds.back();
  }
  std::ranges::nth_element(seconds, seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2));
  return seconds[seconds.size() / 2];
}

struct Operation {
  std::string name;
  double flops;
  double bytes;
  std::function<void()> call;
};

struct Ceilings {
  double flops = 0;  // a second, of a product of large matrices
  double bytes = 0;  // a second, read and written by a copy
};

Ceilings ceilings() {
  const std::int64_t n = setting.device.is_cpu() ? 1536 : 8192;
  const at::Tensor a = random({n, n}).to(setting.operands());
  const at::Tensor b = random({n, n}).to(setting.operands());
  at::Tensor c = at::empty_like(a);
  const auto size = static_cast<double>(n);
  const at::Tensor from = at::zeros({std::int64_t{64} << 20}, at::TensorOptions(setting.device).dtype(at::kFloat));
  at::Tensor to = at::zeros_like(from);
  return {2 * size * size * size / seconds_of([&] { at::mm_out(c, a, b); }),
          2 * static_cast<double>(from.nbytes()) / seconds_of([&] { to.copy_(from); })};
}

// Of the structure module alone, with the published widths.
class StructureCheckpoint {
 public:
  StructureCheckpoint() {
    Esm2Config language_model;
    language_model.hidden_size = 8;
    language_model.num_hidden_layers = 1;
    nlohmann::json header;
    std::string data;
    for (const TensorSpec& spec : esmfold_tensor_specs(language_model, FoldConfig())) {
      if (!spec.name.starts_with("trunk.structure_module.")) continue;
      const at::Tensor values =
          at::randn(spec.shape) / (spec.shape.size() == 2 ? std::sqrt(double(spec.shape[1])) : 4.0);
      const std::size_t begin = data.size();
      data.append(static_cast<const char*>(values.const_data_ptr()), values.nbytes());
      header[spec.name] = {{"dtype", "F32"}, {"shape", spec.shape}, {"data_offsets", {begin, data.size()}}};
    }
    std::string name = (std::filesystem::temp_directory_path() / "trunk_ops-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    folder_ = name;
    const std::string text = header.dump();
    const std::uint64_t length = text.size();
    std::ofstream(folder_ / "model.safetensors", std::ios::binary)
            .write(reinterpret_cast<const char*>(&length), sizeof length)
        << text << data;
    checkpoint_.emplace(Checkpoint::open(folder_));
  }
  ~StructureCheckpoint() { std::filesystem::remove_all(folder_); }
  StructureCheckpoint(const StructureCheckpoint&) = delete;
  StructureCheckpoint& operator=(const StructureCheckpoint&) = delete;

  [[nodiscard]] StructureModule module() const {
    return {Loader(*checkpoint_, at::kFloat, setting.device), FoldConfig().trunk.structure_module};
  }

 private:
  std::filesystem::path folder_;
  std::optional<Checkpoint> checkpoint_;
};

void print_table(std::int64_t length, const std::vector<Operation>& operations, const std::vector<double>& seconds) {
  const Ceilings most = ceilings();
  fmt::print("\nL = {} on {} in {}; matrix product {:.0f} GFLOP/s, copy {:.1f} GB/s\n\n", length, setting.device.str(),
             precision_name(setting.precision), most.flops / 1e9, most.bytes / 1e9);
  fmt::print("| operation | ms | GFLOP/s | of the product | GB/s | of the copy | times the floor | share |\n");
  fmt::print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
  const auto row = [&](const std::string& name, const Operation& o, double time, double floor,
                       const std::string& share) {
    fmt::print("| {} | {:.3f} | {:.0f} | {:.0f} % | {:.1f} | {:.0f} % | {:.1f} | {} |\n", name, time * 1e3,
               o.flops / time / 1e9, 100 * o.flops / time / most.flops, o.bytes / time / 1e9,
               100 * o.bytes / time / most.bytes, time / floor, share);
  };
  Operation whole{"", 0, 0, {}};
  double total = 0;
  double floors = 0;
  for (const double time : seconds) total += time;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const double floor = std::max(operations[i].flops / most.flops, operations[i].bytes / most.bytes);
    row(operations[i].name, operations[i], seconds[i], floor, fmt::format("{:.0f} %", 100 * seconds[i] / total));
    whole.flops += operations[i].flops;
    whole.bytes += operations[i].bytes;
    floors += floor;
  }
  row("all", whole, total, floors, "");
}

void measure(std::int64_t length) {
  const auto square = [] { return projection(C, C); };
  const TriangleMultiplicationWeights multiplication{norm(),   norm(),   square(), square(),
                                                     square(), square(), square(), square()};
  const TriangleAttentionWeights attention{norm(),       weight(heads, C), weight(C, C), weight(C, C),
                                           weight(C, C), square(),         square()};
  const at::ScalarType operands = setting.operands();
  const TriangleMultiplication outgoing(multiplication, Triangle::outgoing, operands);
  const TriangleMultiplication incoming(multiplication, Triangle::incoming, operands);
  const TriangleAttention starting(attention, Node::starting, operands);
  const TriangleAttention ending(attention, Node::ending, operands);
  const PairTransition transition({norm(), projection(4 * C, C), projection(C, 4 * C)}, operands);
  const SequenceToPair to_pair({projection(C, C)}, operands);
  const PairBias sequence_bias(norm(), weight(sequence_heads, C), operands);
  const Linear qkv_in = linear(3 * sequence_width, sequence_width);
  const Linear gate_in = linear(sequence_width, sequence_width);
  const Linear attention_out = linear(sequence_width, sequence_width);
  const Linear transition_in = linear(4 * sequence_width, sequence_width, Activation::relu);
  const Linear transition_out = linear(sequence_width, 4 * sequence_width);
  const LayerNorm sequence_norm = norm_of(sequence_width);
  const StructureCheckpoint structure_checkpoint;
  const StructureModule structure = structure_checkpoint.module();
  const StructureModuleConfig structure_config = FoldConfig().trunk.structure_module;

  const at::Tensor qk = random({length, C});
  at::Tensor s = random({length, sequence_width});
  const at::Tensor y = random({length, sequence_width}).to(setting.type());
  const at::Tensor wide = random({length, 4 * sequence_width}).to(setting.type());
  const at::Tensor qkv = random({length, sequence_heads, 3, sequence_width / sequence_heads}).to(setting.type());
  const at::Tensor bias = random({sequence_heads, length, length});
  const at::Tensor single = random({length, structure_config.sequence_dim});
  at::Tensor z = random({length, length, C});
  PairWorkspace workspace;

  const auto L = static_cast<double>(length);
  const double pairs = L * L;
  const double product = 2.0 * C * C * pairs;   // one linear layer C -> C at every pair
  const double z_once = 4 * C * pairs;          // read, or written
  const double row = 2.0 * sequence_width * L;  // FLOP of one number for every row
  const double s_once = 4 * sequence_width * L;
  const double weights = static_cast<double>(c10::elementSize(setting.type())) * sequence_width * sequence_width;
  const auto normed = [&] {
    return add_layer_norm(s, {}, sequence_norm.weight, sequence_norm.bias, 1e-5, setting.type());
  };
  const std::vector<Operation> operations = {
      {"pair bias for the sequence", product / C * sequence_heads, z_once + 4 * sequence_heads * pairs,
       [&] { (void)sequence_bias(z); }},
      {"sequence: norm", 0, 2 * s_once, [&] { (void)normed(); }},
      {"sequence: queries, keys, values, gate", 4 * row * sequence_width, 5 * s_once + 4 * weights,
       [&] {
         (void)qkv_in(y);
         (void)gate_in(y);
       }},
      {"sequence: attention", 4.0 * pairs * sequence_width, 4 * s_once + 4 * sequence_heads * pairs,
       [&] { (void)biased_attention(qkv, bias); }},
      {"sequence: attention's output", row * sequence_width, 3 * s_once + weights, [&] { attention_out.add_to(s, y); }},
      {"sequence: transition", 8 * row * sequence_width, 11 * s_once + 8 * weights,
       [&] {
         (void)transition_in(y);
         transition_out.add_to(s, wide);
       }},
      {"sequence to pair", product / 2, 2 * z_once, [&] { to_pair(z, qk); }},
      {"triangle multiplication, outgoing", 6 * product + 2 * L * C * pairs, 4 * z_once,
       [&] { outgoing(z, C, workspace); }},
      {"triangle multiplication, incoming", 6 * product + 2 * L * C * pairs, 4 * z_once,
       [&] { incoming(z, C, workspace); }},
      {"triangle attention, starting", 5 * product + product / C * heads + 4 * L * C * pairs, 4 * z_once,
       [&] { starting(z, workspace); }},
      {"triangle attention, ending", 5 * product + product / C * heads + 4 * L * C * pairs, 4 * z_once,
       [&] { ending(z, workspace); }},
      {"pair transition", 8 * product, 2 * z_once, [&] { transition(z); }},
      {"structure module", structure_module_flops(structure_config, length),
       z_once * static_cast<double>(1 + structure_config.num_blocks),
       [&] { (void)structure.fold_backbone(single, z.clone()); }},
  };
  std::vector<double> seconds;
  for (const Operation& operation : operations) {
    seconds.push_back(seconds_of(operation.call));
    z = random({length, length, C});
    s = random({length, sequence_width});
  }
  print_table(length, operations, seconds);
}

int run(int count, char** arguments) {
  std::vector<std::int64_t> lengths;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    const std::string value = i + 1 < count ? arguments[i + 1] : "";
    if (argument == "--device") {
      setting.device = at::Device(value);
      ++i;
    } else if (argument == "--precision") {
      const std::map<std::string, Precision> known{
          {"fp32", Precision::float32}, {"tf32", Precision::tf32}, {"bf16", Precision::bfloat16}};
      setting.precision = known.at(value);
      ++i;
    } else {
      lengths.push_back(std::stoll(argument));
    }
  }
  if (!setting.device.is_cpu() && load_cuda_plugin().plugin == nullptr) throw std::runtime_error("no part for CUDA");
  allow_tf32(setting.precision);
  const c10::OptionalDeviceGuard guard(setting.device.is_cpu() ? std::nullopt : std::optional(setting.device));
  for (const std::int64_t length : lengths) measure(length);
  if (!setting.device.is_cpu()) {
    for (const std::string& line : load_cuda_plugin().plugin->take_notes()) fmt::print("{}\n", line);
  }
  return 0;
}

}  // namespace
}  // namespace pleat

int main(int count, char** arguments) {
  const c10::InferenceMode guard;
  try {
    return pleat::run(count, arguments);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 70;
  }
}
