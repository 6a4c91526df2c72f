// The part of a dataset that one shard of an array of jobs computes.
#pragma once

#include <cstdint>
#include <vector>

#include "sequence/dataset.h"

namespace pleat {

// The unique sequences whose entry in `shards` (numbers from 1, one for each sequence) is `index`, and the records that
// refer to them; records without a sequence are dealt out in turn. So each record is in exactly one of the `count`
// shards.
[[nodiscard]] Dataset take_shard(const Dataset& all, const std::vector<std::int64_t>& shards, std::int64_t index,
                                 std::int64_t count);

}  // namespace pleat
