// Compiled for AMX, and for plain arithmetic in its place.
#include "ops/cpu/tile_set.h"

namespace pleat::cpu::PLEAT_INSTRUCTION_SET {

extern const TileKernels table;
const TileKernels table = {
    PLEAT_INSTRUCTION_SET_NAME, tile_linear,      pack_keys_values, attention_tile,  transition, outer_update,
    triangle_attention,         triangle_project, triangle_product, triangle_output,
};

}  // namespace pleat::cpu::PLEAT_INSTRUCTION_SET
