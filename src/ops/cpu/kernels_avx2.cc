#define PLEAT_VECTOR_FLOATS 8  // floats in a register
#define PLEAT_TILE_ROWS 4      // rows x vectors of accumulators, which with the operands fill the registers
#define PLEAT_TILE_VECTORS 3
#include "kernels_body.h"

namespace pleat::cpu {

const Kernels avx2_kernels = {"AVX2", pack_keys_values, attention_tile, add_layer_norm};

}  // namespace pleat::cpu
