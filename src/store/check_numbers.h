// The numbers of a result file: finite and in range where a sequence was computed, missing where it was not.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "store/hdf5_read.h"
#include "store/problems.h"

namespace pleat {

// What the records say of a sequence.
enum class SequenceState : std::uint8_t { unused, computed, missing };

// At which row of a dataset each sequence begins, for one row a sequence, a residue and a pair of residues.
struct RowBegins {
  std::span<const std::int64_t> of_sequences;
  std::span<const std::int64_t> of_residues;
  std::span<const std::int64_t> of_pairs;
};

// Whether NumberChecker looks at the dataset.
[[nodiscard]] bool is_checked_number(const std::string& path);

class NumberChecker {
 public:
  // All must outlive the checker.
  NumberChecker(const hdf5::File& file, const std::vector<SequenceState>& states, const RowBegins& begins,
                Problems& problems)
      : file_(file), states_(states), begins_(begins), problems_(problems) {}

  // These throw Error(bad_input) where a chunk cannot be read.
  void check(const DataSetInfo& info);
  // Whether embeddings/.../mean is that of embeddings/.../per_residue, as far as the stored type can tell.
  void check_mean(const DataSetInfo& mean, const DataSetInfo& per_residue);
  // Whether mean_plddt is that of the atoms that exist, and positions are 0 where there is none.
  void check_mean_plddt(const DataSetInfo& plddt);

 private:
  void check_floats(const DataSetInfo& info, double lowest, double highest);
  void check_integers(const DataSetInfo& info, std::int64_t missing, std::int64_t lowest, std::int64_t highest);
  [[nodiscard]] bool is_computed(std::int64_t sequence) const {
    return states_[static_cast<std::size_t>(sequence)] == SequenceState::computed;
  }
  [[nodiscard]] std::span<const std::int64_t> begins_of(const std::string& path) const;

  const hdf5::File& file_;
  const std::vector<SequenceState>& states_;
  RowBegins begins_;
  Problems& problems_;
};

}  // namespace pleat
