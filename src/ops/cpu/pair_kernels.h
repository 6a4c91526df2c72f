// The inner loops of ESMFold's pair representation on a processor. All matrices are float32.
//
// "Panels": a matrix [depth, columns] cut into blocks of panel_width columns, each [depth, panel_width] and filled up
// with zeros; see pack_panels. A "run" is a number of pairs whose states lie `stride` floats apart: consecutive pairs
// of a row of the pair state (stride C) or of a column (stride L * C).
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>

namespace pleat::cpu {

inline constexpr std::int64_t run_length = 64;  // pairs in a run, at most

// Floats that a head's queries, or values, take in a row: whole registers of every instruction set.
constexpr std::int64_t padded_head_dim(std::int64_t head_dim) { return (head_dim + 15) / 16 * 16; }

// Memory of one thread that grows and is kept, aligned to cache lines; its contents are undefined after need().
class Scratch {
 public:
  float* need(std::int64_t floats);

 private:
  struct Free {
    void operator()(float* p) const { std::free(p); }
  };
  std::unique_ptr<float, Free> memory_;
  std::int64_t floats_ = 0;
};

struct PairScratch {
  Scratch rows;      // normalised states of a run, as they lie
  Scratch columns;   // the same, channel by channel
  Scratch product;   // results on their way
  Scratch keys;      // of one head, in panels
  Scratch queries;   // of one head
  Scratch values;    // of one head
  Scratch scores;    // a few queries against all keys
  Scratch gathered;  // what attention gives, all heads
};

struct Run {
  float* z = nullptr;  // the first pair's state, [C]
  std::int64_t stride = 0;
  std::int64_t count = 0;  // at most run_length
};

struct Norm {
  const float* weight = nullptr;  // [C]
  const float* bias = nullptr;
  float eps = 1e-5F;
};

// Weights as [out, in], in rows; biases filled up with zeros to whole panels.
struct TriangleProjection {
  std::int64_t channels = 0;  // C
  Norm norm;
  const float* weight[2] = {};  // of a and of b: [C, C]
  const float* bias[2] = {};
  const float* gate[2] = {};
  const float* gate_bias[2] = {};
};

struct TriangleOutput {
  std::int64_t channels = 0;  // C
  Norm norm_in;
  Norm norm_out;
  const float* weight = nullptr;  // panels [C, C]
  const float* bias = nullptr;
  const float* gate = nullptr;  // panels [C, C]
  const float* gate_bias = nullptr;
};

struct TriangleAttentionRow {
  std::int64_t channels = 0;  // C
  std::int64_t heads = 0;
  std::int64_t head_dim = 0;
  Norm norm;
  const float* query_value = nullptr;  // per head panels [C, 2 * padded_head_dim]: queries, scaled, then values
  const float* key = nullptr;          // [C, C], in rows
  const float* gate = nullptr;         // panels [C, C]
  const float* gate_bias = nullptr;
  const float* out = nullptr;  // panels [C, C]
  const float* out_bias = nullptr;
  const float* bias = nullptr;  // [heads, L, bias_stride]
  std::int64_t bias_stride = 0;
  float* z = nullptr;  // the row's or column's first pair
  std::int64_t stride = 0;
  std::int64_t length = 0;  // L
};

// One head of attention over a sequence with a bias for each pair.
struct BiasedHead {
  const float* q = nullptr;  // first token; k and v likewise
  const float* k = nullptr;
  const float* v = nullptr;
  std::int64_t row_stride = 0;  // of q, k and v
  float scale = 1;
  const float* bias = nullptr;  // [L, bias_stride]
  std::int64_t bias_stride = 0;
  float* out = nullptr;
  std::int64_t out_stride = 0;
  std::int64_t length = 0;
  std::int64_t head_dim = 0;
};

struct PairTransition {
  std::int64_t channels = 0;  // C
  std::int64_t hidden = 0;    // 4 C
  Norm norm;
  const float* in = nullptr;  // panels [C, hidden]
  const float* in_bias = nullptr;
  const float* out = nullptr;  // panels [hidden, C]
  const float* out_bias = nullptr;
};

struct OuterUpdate {
  std::int64_t channels = 0;      // C
  std::int64_t inner = 0;         // C / 2
  const float* weight = nullptr;  // panels [inner, C]: of the product
  const float* left = nullptr;    // [C]: what the run's first position adds, bias included
  const float* right = nullptr;   // [count, C]: what each second position adds
  const float* first = nullptr;   // [inner], of the run's first position
  const float* second = nullptr;  // [count, second_stride]
  std::int64_t second_stride = 0;
};

// Some columns of a linear layer, for all rows of x.
struct LinearColumns {
  const float* x = nullptr;  // [rows, in], contiguous
  std::int64_t rows = 0;
  std::int64_t in = 0;
  const float* weight = nullptr;  // the columns' first panel, [in, run_length]
  const float* bias = nullptr;    // of the columns, filled up to whole panels
  float* out = nullptr;           // the columns' first, in row 0
  std::int64_t out_stride = 0;
  std::int64_t columns = 0;
};

struct PairKernels {
  // bias[h * plane + r] = LN(z_r) . weight[h], for the pairs r of a run. weight [heads, C].
  void (*pair_bias)(const Run& run, std::int64_t channels, const Norm& norm, const float* weight, std::int64_t heads,
                    float* bias, std::int64_t plane, PairScratch& scratch);
  // out[half][c * plane + r] = sigmoid(gate . LN(z_r)) * (weight . LN(z_r)), for `count` channels from `first` on.
  // Writes whole registers: up to round_up(run.count, 16) places.
  void (*triangle_project)(const Run& run, const TriangleProjection& job, std::int64_t first, std::int64_t count,
                           float* const out[2], std::int64_t plane, PairScratch& scratch);
  // out[i, j] = sum over k of a[k, i] * b[k, j]; each [length, stride]. `out` may be `a`.
  void (*triangle_product)(const float* a, const float* b, float* out, std::int64_t length, std::int64_t stride,
                           PairScratch& scratch);
  // z_r += sigmoid(gate . LN_in(z_r)) * (weight . LN_out(x_r)), with x_r[c] = x[c * plane + r].
  void (*triangle_output)(const Run& run, const TriangleOutput& job, const float* x, std::int64_t plane,
                          PairScratch& scratch);
  // One row (or column) of triangle attention: z_r += out . (sigmoid(gate . x_r) * attention(x)_r), x = LN(z).
  void (*triangle_attention)(const TriangleAttentionRow& job, PairScratch& scratch);
  // z_r += out . relu(in . LN(z_r))
  void (*transition)(const Run& run, const PairTransition& job, PairScratch& scratch);
  // z_r += weight . (first * second_r) + right_r + left
  void (*outer_update)(const Run& run, const OuterUpdate& job, PairScratch& scratch);
  // out = softmax(scale q k^T + bias) v, for all queries of one head.
  void (*biased_attention)(const BiasedHead& head, PairScratch& scratch);
  // out = x weight + bias
  void (*linear)(const LinearColumns& job);
};

// A weight [out, in] as panels of its transpose, [in, out].
std::int64_t panel_floats(std::int64_t depth, std::int64_t columns);
void pack_panels(const float* weight, std::int64_t depth, std::int64_t columns, float* panels);

}  // namespace pleat::cpu
