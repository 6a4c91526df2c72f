// Compiled once for each instruction set, like the kernels themselves.
#include "ops/cpu/instruction_set.h"

namespace pleat::cpu::PLEAT_INSTRUCTION_SET {

const Kernels table = {
    PLEAT_INSTRUCTION_SET_NAME,
    pack_keys_values,
    attention_tile,
    add_layer_norm,
    pair_bias,
    triangle_project,
    triangle_product,
    triangle_output,
    triangle_attention,
    transition,
    outer_update,
    biased_attention,
    linear,
};

}  // namespace pleat::cpu::PLEAT_INSTRUCTION_SET
