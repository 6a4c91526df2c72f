// What the distogram says, as distances.
#pragma once

#include <ATen/core/Tensor.h>

namespace pleat {

// How far apart the C-beta atoms are (C-alpha of glycine), from the distogram's 64 bins: AlphaFold's, with 63 bounds
// from 2.3125 to 21.6875 ångström. The outer two bins count as if they were as wide as the others.
struct Distances {
  at::Tensor mean;           // [P, P] ångström, symmetric
  at::Tensor spread;         // [P, P] ångström, the standard deviation
  at::Tensor probabilities;  // [P, P, 64]; undefined unless asked for
};

}  // namespace pleat
