// What a dataset of an HDF5 file is, without its values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pleat {

struct DataSetInfo {
  std::string path;                 // "/embeddings/layer_06/mean"
  std::vector<std::int64_t> shape;  // rows first
  std::string type;                 // "float16", "int64", "utf8", "enum", ...
  std::int64_t raw_bytes = 0;       // without compression; of strings only the references
  std::int64_t stored_bytes = 0;    // in the file; likewise
};

}  // namespace pleat
