// The files that are merged: what is known of each, and whether they belong together.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "hdf5/hdf5_read.h"
#include "journal/run_identity.h"
#include "results/result_reader.h"
#include "sequence/dataset.h"

namespace pleat {

struct MergePart {
  std::filesystem::path path;
  hdf5::File file;
  FileAttributes attributes;
  ShardPart shard;
  // At which row of the datasets of that extent each of its sequences begins, and at the end how many rows there are.
  std::map<Extent, std::vector<std::int64_t>> begins;
  std::vector<DataSetInfo> datasets;        // sorted by path
  std::vector<std::int64_t> new_rows = {};  // of its sequences, in the merged file
};

// A row of the merged file: where it comes from.
struct MergedRow {
  std::int32_t part = 0;
  std::int64_t row = 0;
};

struct MergeSources {
  std::vector<MergePart> parts;  // by index
  std::vector<MergedRow> records;
  std::vector<MergedRow> sequences;
  std::vector<std::int64_t> missing;  // shards
};

// What all files of one run have in common, whether of a shard or merged, by name.
[[nodiscard]] NamedValues values_of_run(const FileAttributes& made);

// Throws as merge_results() does.
[[nodiscard]] MergeSources open_parts(const std::vector<std::filesystem::path>& files, bool allow_missing);

}  // namespace pleat
