// Two result files, record by record: what a change of precision, machine or version has done to the numbers.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compare/match.h"
#include "results/result_reader.h"

namespace pleat {

// What is compared. Of every measure one direction is worse.
struct Measure {
  std::string name;  // "layer_06/mean cosine"
  std::string kind;  // "cosine": what limits are given for
  bool larger_is_better = false;
};

struct RecordDifference {
  std::string id;
  std::int64_t residues = 0;
  std::vector<double> values;  // by measure; NaN where there is none
};

// A is what B is measured against.
class Comparison {
 public:
  // Both must outlive it. Throws Error(bad_input) where a file is damaged.
  Comparison(const ResultReader& a, const ResultReader& b, MatchBy by);

  // Of every layer and kind of embedding, and of logits, that both files hold in the same width: cosine (of the
  // record's worst row) and relative_error. Where both hold structures: rmsd (of C-alpha atoms, ångström), lddt, plddt
  // (mean absolute difference over the atoms, 0 to 100), ptm (absolute difference) and, where both hold them, iptm
  // (likewise) and pae (mean absolute difference, ångström). Where both hold them: contacts, log_probability and
  // substitutions (mean absolute differences), perplexity (difference over A's), and variants (mean absolute difference
  // of the scores of those that both files score of the record).
  [[nodiscard]] const std::vector<Measure>& measures() const { return measures_; }
  [[nodiscard]] const Matches& matches() const { return matches_; }
  // In the order of A. Throws Error(bad_input).
  [[nodiscard]] RecordDifference compare(const RecordPair& pair) const;

 private:
  struct Rows {
    std::string path;
    std::size_t width = 0;
    bool per_residue = false;
  };

  void find_rows();
  void compare_rows(const Rows& rows, const RecordPair& pair, std::vector<double>& values) const;
  void find_numbers();
  void compare_structures(const RecordPair& pair, std::vector<double>& values) const;
  [[nodiscard]] double perplexity_change(const RecordPair& pair) const;
  [[nodiscard]] double variant_difference(const RecordPair& pair) const;

  const ResultReader& a_;
  const ResultReader& b_;
  Matches matches_;
  std::vector<Rows> rows_;
  std::vector<std::string> numbers_;  // datasets of which the mean absolute difference is taken
  bool perplexity_ = false;
  bool variants_ = false;
  std::vector<std::string> variants_a_;  // of each scored variant its text, [V]
  std::vector<std::string> variants_b_;
  bool structures_ = false;
  bool pae_ = false;
  bool interfaces_ = false;
  std::vector<Measure> measures_;
};

}  // namespace pleat
