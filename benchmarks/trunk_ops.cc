// Times each operation of one block of ESMFold's trunk, with the published widths and random weights, beside this
// machine's matrix product: trunk_ops [LENGTH]... prints a table for each length. Rates are of processor time, so that
// other work on the machine disturbs them little.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "ops/biased_attention/biased_attention.h"
#include "ops/pair_bias/pair_bias.h"
#include "ops/pair_transition/pair_transition.h"
#include "ops/sequence_to_pair/sequence_to_pair.h"
#include "ops/triangle_attention/triangle_attention.h"
#include "ops/triangle_multiplication/triangle_multiplication.h"

namespace pleat {
namespace {

constexpr std::int64_t C = 128;
constexpr std::int64_t heads = 4;
constexpr std::int64_t sequence_width = 1024;
constexpr std::int64_t sequence_heads = 32;

at::Tensor weight(std::int64_t out, std::int64_t in) {
  return at::randn({out, in}) / std::sqrt(static_cast<double>(in));
}
Projection projection(std::int64_t out, std::int64_t in) { return {weight(out, in) * 0.1, at::zeros({out})}; }
LayerNorm norm() { return {at::ones({C}), at::zeros({C})}; }

double processor_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

// The median over several calls, as if all threads had been busy alone.
double seconds_of(const std::function<void()>& call) {
  call();
  std::vector<double> seconds;
  double total = 0;
  while (seconds.size() < 3 || (seconds.size() < 15 && total < 1.5)) {
    const double start = processor_seconds();
    call();
    seconds.push_back((processor_seconds() - start) / at::get_num_threads());
    total += seconds.back();
  }
  std::ranges::nth_element(seconds, seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2));
  return seconds[seconds.size() / 2];
}

struct Operation {
  std::string name;
  double flops;
  int times;  // in a block
  std::function<void()> call;
};

double sgemm_rate() {
  const at::Tensor a = at::randn({1536, 1536});
  const at::Tensor b = at::randn({1536, 1536});
  at::Tensor c = at::empty({1536, 1536});
  return 2.0 * 1536 * 1536 * 1536 / seconds_of([&] { at::mm_out(c, a, b); });
}

void measure(std::int64_t length) {
  const auto square = [] { return projection(C, C); };
  const TriangleMultiplicationWeights multiplication{norm(),   norm(),   square(), square(),
                                                     square(), square(), square(), square()};
  const TriangleAttentionWeights attention{norm(),       weight(heads, C), weight(C, C), weight(C, C),
                                           weight(C, C), square(),         square()};
  const TriangleMultiplication outgoing(multiplication, Triangle::outgoing);
  const TriangleMultiplication incoming(multiplication, Triangle::incoming);
  const TriangleAttention starting(attention, Node::starting);
  const TriangleAttention ending(attention, Node::ending);
  const PairTransition transition({norm(), projection(4 * C, C), projection(C, 4 * C)});
  const SequenceToPair to_pair({projection(C, C)});
  const at::Tensor bias_weight = weight(sequence_heads, C);
  const at::Tensor qk = at::randn({length, C});
  const at::Tensor qkv = at::randn({length, sequence_heads, 3, sequence_width / sequence_heads});
  const at::Tensor bias = at::randn({sequence_heads, length, length});
  at::Tensor z = at::randn({length, length, C});
  PairWorkspace workspace;

  const auto L = static_cast<double>(length);
  const double pairs = L * L;
  const double product = 2.0 * C * C * pairs;  // one linear layer C -> C at every pair
  const std::vector<Operation> operations = {
      {"pair bias for the sequence", product / C * sequence_heads, 1, [&] { (void)pair_bias(z, norm(), bias_weight); }},
      {"sequence attention", 4.0 * pairs * sequence_width, 1, [&] { (void)biased_attention(qkv, bias); }},
      {"sequence to pair", product / 2, 1, [&] { to_pair(z, qk); }},
      {"triangle multiplication, outgoing", 6 * product + 2 * L * C * pairs, 1, [&] { outgoing(z, C, workspace); }},
      {"triangle multiplication, incoming", 6 * product + 2 * L * C * pairs, 1, [&] { incoming(z, C, workspace); }},
      {"triangle attention, starting", 5 * product + product / C * heads + 4 * L * C * pairs, 1,
       [&] { starting(z, workspace); }},
      {"triangle attention, ending", 5 * product + product / C * heads + 4 * L * C * pairs, 1,
       [&] { ending(z, workspace); }},
      {"pair transition", 8 * product, 1, [&] { transition(z); }},
  };
  const double sgemm = sgemm_rate();
  std::vector<double> seconds;
  double total = 0;
  double flops = 0;
  for (const Operation& operation : operations) {
    seconds.push_back(seconds_of(operation.call));
    total += seconds.back();
    flops += operation.flops;
    z = at::randn({length, length, C});
  }
  fmt::print(
      "\nL = {}; SGEMM {:.0f} GFLOP/s\n\n| operation | ms | GFLOP/s | of SGEMM | share |\n| --- | --- | --- | --- | "
      "--- |\n",
      length, sgemm / 1e9);
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const double rate = operations[i].flops / seconds[i];
    fmt::print("| {} | {:.1f} | {:.0f} | {:.0f} % | {:.0f} % |\n", operations[i].name, seconds[i] * 1e3, rate / 1e9,
               100 * rate / sgemm, 100 * seconds[i] / total);
  }
  fmt::print("| the block | {:.1f} | {:.0f} | {:.0f} % | |\n", total * 1e3, flops / total / 1e9,
             100 * flops / total / sgemm);
}

}  // namespace
}  // namespace pleat

int main(int count, char** arguments) {
  const c10::InferenceMode guard;
  for (int i = 1; i < count; ++i) pleat::measure(std::strtol(arguments[i], nullptr, 10));
  return 0;
}
