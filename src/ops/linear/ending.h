// What a linear layer's product ends with, on its float32 sums. Included by the kernels' source files, see
// cpu/vector.h.
#pragma once

#include "ops/cpu/vector.h"
#include "ops/linear/cpu.h"

namespace pleat::cpu {
namespace {

// x (1 + erf(x / sqrt(2))) / 2. The smaller of the two halves of the normal distribution is
// (a1 t + .. + a5 t^5) exp(-x^2 / 2) / 2 with t = 1 / (1 + p |x| / sqrt(2)), to 8e-8 (Abramowitz and Stegun 7.1.26), so
// that nothing cancels where x is negative.
inline Vector gelu(Vector x) {
  const Vector size = x < 0.0F ? -x : x;
  const Vector t = 1.0F / (1.0F + size * (0.3275911F * 0.70710678F));
  Vector p = splat(1.061405429F);
  p = p * t - 1.453152027F;
  p = p * t + 1.421413741F;
  p = p * t - 0.284496736F;
  p = p * t + 0.254829592F;
  const Vector tail = p * t * exp_nonpositive(-0.5F * x * x) * 0.5F;
  return x * (x < 0.0F ? tail : 1.0F - tail);
}

inline Vector finished(Vector x, Ending ending) {
  if (ending == Ending::gelu) return gelu(x);
  if (ending == Ending::relu) return x > 0.0F ? x : Vector{};
  return x;
}

}  // namespace
}  // namespace pleat::cpu
