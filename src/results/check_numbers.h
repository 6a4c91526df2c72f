// The numbers of a result file: finite and in range where a sequence was computed, missing where it was not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "format/schema_table.h"
#include "hdf5/hdf5_read.h"
#include "results/problems.h"
#include "results/result_reader.h"

namespace pleat {

// What the records say of a sequence.
enum class SequenceState : std::uint8_t { unused, computed, missing };

class NumberChecker {
 public:
  // All must outlive the checker.
  NumberChecker(const ResultReader& reader, const hdf5::File& file, const std::vector<SequenceState>& states,
                Problems& problems)
      : reader_(reader), file_(file), states_(states), problems_(problems) {}

  // These throw Error(bad_input) where a chunk cannot be read. `entry` says which numbers are right.
  void check(const DataSetInfo& info, const schema::DatasetEntry& entry);
  // Whether embeddings/.../mean is that of embeddings/.../per_residue, as far as the stored type can tell.
  void check_mean(const DataSetInfo& mean, const DataSetInfo& per_residue);
  // Whether mean_plddt is that of the atoms that exist, and positions are 0 where there is none.
  void check_mean_plddt(const DataSetInfo& plddt);

 private:
  template <typename T>
  void check_values(const hdf5::OpenDataSet& dataset, hid_t native_type, const schema::DatasetEntry& entry);
  template <typename T>
  void check_value(const std::string& path, T value, std::int64_t sequence, const schema::DatasetEntry& entry);
  [[nodiscard]] bool is_computed(std::int64_t sequence) const {
    return states_[static_cast<std::size_t>(sequence)] == SequenceState::computed;
  }

  const ResultReader& reader_;
  const hdf5::File& file_;
  const std::vector<SequenceState>& states_;
  Problems& problems_;
};

}  // namespace pleat
