// Maps over pairs of residues, a byte a pair.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "report/blob.h"
#include "results/result_reader.h"

namespace pleat {

inline constexpr float pae_step = 0.125F;             // ångström; 31.75 is the most
inline constexpr float contact_step = 1.0F / 254.0F;  // probability

// The contact maps of a file.
class ContactMaps {
 public:
  // Keeps `results`. Throws Error(bad_input) where the maps do not fit the sequences.
  ContactMaps(const ResultReader& results);  // NOLINT(google-explicit-constructor): a list of files becomes one of maps

  [[nodiscard]] bool are_there() const { return !begins_.empty(); }
  [[nodiscard]] std::vector<float> of(std::int64_t row) const;  // [L, L]

 private:
  const ResultReader* results_;
  std::vector<std::int64_t> begins_;  // [U + 1] the first value of each map; empty where there are none
};

// How many rows a map of `length` residues is drawn with when it may have `side`.
[[nodiscard]] std::int64_t rows_of_map(std::int64_t length, std::int64_t side);

// Adds `values` [L, L] as `name`, in steps of `step`, 255 where there is no number; meta[name] has rows, bin and step.
void add_map(const std::string& name, float step, const std::vector<float>& values, std::int64_t length,
             std::int64_t side, Blob& blob);

}  // namespace pleat
