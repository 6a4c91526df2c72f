// The vector functions that LibTorch takes from MKL.
#pragma once

namespace pleat {

// To be called before several threads share the work of at::cos, at::sqrt and their like. MKL finds the code of such a
// function at its first call, and where threads make that call together, one of them may compute its share with code of
// low accuracy: wrong by 1e-4, for that one call (MKL 2024.2; https://github.com/pytorch/pytorch/issues/188792). This
// makes the first call of each by the calling thread alone; later calls return at once.
void settle_vector_math();

}  // namespace pleat
