#define PLEAT_VECTOR_FLOATS 16  // floats in a register
#define PLEAT_ATTENTION_ROWS 8  // rows x vectors of accumulators, which with the operands fill the registers
#define PLEAT_ATTENTION_VECTORS 3
#define PLEAT_PAIR_ROWS 6  // the same for the pair representation
#define PLEAT_PAIR_VECTORS 4
#include "kernels_body.h"
#include "pair_kernels_body.h"

namespace pleat::cpu {

const Kernels avx512_kernels = {"AVX-512", pack_keys_values, attention_tile, add_layer_norm, pair_table};

}  // namespace pleat::cpu
