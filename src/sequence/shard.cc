#include "sequence/shard.h"

namespace pleat {

Dataset take_shard(const Dataset& all, const std::vector<std::int64_t>& shards, std::int64_t index,
                   std::int64_t count) {
  Dataset part;
  part.sha256 = all.sha256;
  part.inputs = all.inputs;
  part.variants = all.variants;
  ShardPart& shard = part.shard.emplace();
  shard.index = index;
  shard.count = count;
  shard.records = std::ssize(all.records);
  shard.sequences = all.sequences.size();
  std::vector<std::int64_t> rows(shards.size(), -1);
  for (std::int64_t row = 0; row < all.sequences.size(); ++row) {
    if (shards[static_cast<std::size_t>(row)] != index) continue;
    rows[static_cast<std::size_t>(row)] = part.sequences.append_from(all.sequences, row);
    shard.sequence_places.push_back(row);
  }
  for (std::int64_t place = 0; place < shard.records; ++place) {
    Record record = all.records[static_cast<std::size_t>(place)];
    if (record.sequence < 0) {
      if (place % count != index - 1) continue;
    } else {
      record.sequence = rows[static_cast<std::size_t>(record.sequence)];
      if (record.sequence < 0) continue;
    }
    part.records.push_back(std::move(record));
    shard.record_places.push_back(place);
  }
  return part;
}

}  // namespace pleat
