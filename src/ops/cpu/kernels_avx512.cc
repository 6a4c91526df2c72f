#define PLEAT_VECTOR_FLOATS 16  // floats in a register
#define PLEAT_TILE_ROWS 8       // rows x vectors of accumulators, which with the operands fill the registers
#define PLEAT_TILE_VECTORS 3
#include "kernels_body.h"

namespace pleat::cpu {

const Kernels avx512_kernels = {"AVX-512", pack_keys_values, attention_tile, add_layer_norm};

}  // namespace pleat::cpu
