#include "compare/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "compare/structures.h"
#include "compare/vectors.h"
#include "format/schema.h"
#include "sequence/residues.h"

namespace pleat {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t alpha = 1;  // slot of C-alpha

bool is_embedding(const std::string& path) {
  return path == "/logits" || (path.starts_with("/embeddings/") && path.find('/', 12) != std::string::npos);
}

// "/embeddings/layer_06/mean" -> "layer_06/mean"
std::string short_name(const std::string& path) {
  constexpr std::string_view begin = "/embeddings/";
  return path.substr(path.starts_with(begin) ? begin.size() : 1);
}

// [row] -> values, by dataset.
std::map<std::string, DataSetInfo> embeddings_of(const ResultReader& results) {
  std::map<std::string, DataSetInfo> found;
  for (DataSetInfo& info : results.datasets()) {
    if (is_embedding(info.path) && info.shape.size() == 2) found.emplace(info.path, std::move(info));
  }
  return found;
}

// Of numbers that are there: one that is none is as far off as can be.
double or_infinite(double value) { return std::isnan(value) ? std::numeric_limits<double>::infinity() : value; }

// NaN without elements. One that neither file has is none.
double mean_difference(const std::vector<float>& a, const std::vector<float>& b,
                       const std::vector<std::uint8_t>& mask) {
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!mask.empty() && mask[i] == 0) continue;
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    sum += std::abs(double{a[i]} - b[i]);
    ++count;
  }
  return count == 0 ? missing : or_infinite(sum / static_cast<double>(count));
}

std::set<std::string> paths_of(const ResultReader& results) {
  std::set<std::string> paths;
  for (DataSetInfo& info : results.datasets()) paths.insert(std::move(info.path));
  return paths;
}

// "A12V" of each scored variant, [V].
std::vector<std::string> variants_of(const ResultReader& results) {
  VariantTable table = results.variant_table();
  std::vector<std::string> texts;
  for (const std::int64_t row : results.variant_rows()) {
    texts.push_back(table.rows[static_cast<std::size_t>(row)].variant);
  }
  return texts;
}

std::vector<Point> alphas_of(const StoredStructure& structure, const std::vector<std::uint8_t>& both) {
  std::vector<Point> points;
  for (std::size_t residue = 0; residue < both.size() / residues::slots; ++residue) {
    const std::size_t atom = residue * residues::slots + alpha;
    if (both[atom] == 0) continue;
    points.push_back(
        {structure.positions[3 * atom], structure.positions[3 * atom + 1], structure.positions[3 * atom + 2]});
  }
  return points;
}

}  // namespace

Comparison::Comparison(const ResultReader& a, const ResultReader& b, MatchBy by)
    : a_(a),
      b_(b),
      matches_(match_records(a, b, by)),
      structures_(a.has_structures() && b.has_structures()),
      pae_(structures_ && a.has_pae() && b.has_pae()),
      interfaces_(structures_ && a.has_interfaces() && b.has_interfaces()) {
  find_rows();
  find_numbers();
  if (!structures_) return;
  measures_.insert(measures_.end(), {{"rmsd", "rmsd"}, {"lddt", "lddt", true}, {"plddt", "plddt"}, {"ptm", "ptm"}});
  if (interfaces_) measures_.push_back({"iptm", "iptm"});
  if (pae_) measures_.push_back({"pae", "pae"});
}

void Comparison::find_rows() {
  const std::map<std::string, DataSetInfo> of_b = embeddings_of(b_);
  for (const auto& [path, info] : embeddings_of(a_)) {
    const auto found = of_b.find(path);
    if (found == of_b.end() || found->second.shape[1] != info.shape[1]) continue;
    rows_.push_back(
        {path, static_cast<std::size_t>(info.shape[1]), path == "/logits" || path.ends_with("/per_residue")});
    measures_.push_back({short_name(path) + " cosine", "cosine", true});
    measures_.push_back({short_name(path) + " relative_error", "relative_error"});
  }
}

void Comparison::find_numbers() {
  const std::set<std::string> paths_a = paths_of(a_);
  const std::set<std::string> paths_b = paths_of(b_);
  const auto both_hold = [&](const char* path) { return paths_a.contains(path) && paths_b.contains(path); };
  for (const auto& [path, name] : {std::pair{schema::contact_values, "contacts"},
                                   {schema::log_probability, "log_probability"},
                                   {schema::substitution_scores, "substitutions"}}) {
    if (!both_hold(path)) continue;
    numbers_.emplace_back(path);
    measures_.push_back({name, name});
  }
  perplexity_ = both_hold(schema::pseudo_perplexity);
  if (perplexity_) measures_.push_back({"perplexity", "perplexity"});
  variants_ = both_hold(schema::variant_score);
  if (!variants_) return;
  variants_a_ = variants_of(a_);
  variants_b_ = variants_of(b_);
  measures_.push_back({"variants", "variants"});
}

RecordDifference Comparison::compare(const RecordPair& pair) const {
  RecordDifference difference;
  difference.id = pair.id;
  const auto row = static_cast<std::size_t>(pair.a);
  difference.residues = a_.offsets()[row + 1] - a_.offsets()[row];
  for (const Rows& rows : rows_) compare_rows(rows, pair, difference.values);
  for (const std::string& path : numbers_) {
    difference.values.push_back(mean_difference(a_.values(path, pair.a), b_.values(path, pair.b), {}));
  }
  if (perplexity_) difference.values.push_back(perplexity_change(pair));
  if (variants_) difference.values.push_back(variant_difference(pair));
  if (structures_) compare_structures(pair, difference.values);
  return difference;
}

void Comparison::compare_rows(const Rows& rows, const RecordPair& pair, std::vector<double>& values) const {
  const auto begin = [&](const ResultReader& results, std::int64_t row) {
    return rows.per_residue ? results.offsets()[static_cast<std::size_t>(row)] : row;
  };
  const auto at = static_cast<std::size_t>(pair.a);
  const std::int64_t count = rows.per_residue ? a_.offsets()[at + 1] - a_.offsets()[at] : 1;
  constexpr std::int64_t block_values = 1 << 18;
  const std::int64_t block = std::max<std::int64_t>(1, block_values / static_cast<std::int64_t>(rows.width));
  VectorDifference difference;
  for (std::int64_t first = 0; first < count; first += block) {
    const std::int64_t some = std::min(block, count - first);
    difference.add(a_.floats(rows.path, begin(a_, pair.a) + first, some),
                   b_.floats(rows.path, begin(b_, pair.b) + first, some), rows.width);
  }
  values.push_back(difference.cosine());
  values.push_back(difference.relative_error());
}

double Comparison::perplexity_change(const RecordPair& pair) const {
  const double of_a = a_.floats(schema::pseudo_perplexity, pair.a, 1).front();
  const double of_b = b_.floats(schema::pseudo_perplexity, pair.b, 1).front();
  return or_infinite(std::abs(of_b - of_a) / of_a);
}

double Comparison::variant_difference(const RecordPair& pair) const {
  const auto scores_of = [](const ResultReader& results, const std::vector<std::string>& texts, std::int64_t row) {
    const auto first = static_cast<std::size_t>(results.begins(Extent::variant)[static_cast<std::size_t>(row)]);
    const std::vector<float> scores = results.values(schema::variant_score, row);
    std::map<std::string_view, float> found;
    for (std::size_t i = 0; i < scores.size(); ++i) found.emplace(texts[first + i], scores[i]);
    return found;
  };
  const std::map<std::string_view, float> of_a = scores_of(a_, variants_a_, pair.a);
  const std::map<std::string_view, float> of_b = scores_of(b_, variants_b_, pair.b);
  std::vector<float> in_a;
  std::vector<float> in_b;
  for (const auto& [text, score] : of_a) {
    const auto found = of_b.find(text);
    if (found == of_b.end()) continue;
    in_a.push_back(score);
    in_b.push_back(found->second);
  }
  return mean_difference(in_a, in_b, {});
}

void Comparison::compare_structures(const RecordPair& pair, std::vector<double>& values) const {
  const StoredStructure a = a_.structure(pair.a);
  const StoredStructure b = b_.structure(pair.b);
  std::vector<std::uint8_t> both(a.atom_mask.size());
  for (std::size_t i = 0; i < both.size(); ++i) both[i] = a.atom_mask[i] != 0 && b.atom_mask[i] != 0 ? 1 : 0;
  const std::vector<Point> alphas_a = alphas_of(a, both);
  const std::vector<Point> alphas_b = alphas_of(b, both);
  values.push_back(alphas_a.empty() ? missing : or_infinite(superposed_rmsd(alphas_a, alphas_b)));
  values.push_back(lddt(alphas_a, alphas_b));
  values.push_back(mean_difference(a.plddt, b.plddt, both));
  values.push_back(or_infinite(std::abs(double{a.ptm} - b.ptm)));
  if (interfaces_) {
    const float of_a = a.interfaces.iptm.front();
    const float of_b = b.interfaces.iptm.front();
    values.push_back(std::isnan(of_a) && std::isnan(of_b) ? missing : or_infinite(std::abs(double{of_a} - of_b)));
  }
  if (pae_) values.push_back(mean_difference(a_.pae(pair.a), b_.pae(pair.b), {}));
}

}  // namespace pleat
