// What ResultReader gives of scores.
#include <algorithm>

#include "results/result_reader_impl.h"

namespace pleat {

bool ResultReader::has_scores() const { return hdf5::has_dataset(impl_->id, schema::pseudo_perplexity); }
bool ResultReader::has_substitutions() const { return hdf5::has_dataset(impl_->id, schema::substitution_scores); }
bool ResultReader::has_variants() const { return hdf5::has_dataset(impl_->id, schema::variant_score); }

VariantTable ResultReader::variant_table() const {
  VariantTable table;
  table.rows.resize(static_cast<std::size_t>(impl_->open(schema::variant_table_id).rows()));
  const std::int64_t count = std::ssize(table.rows);
  for (const schema::DatasetEntry& entry : schema::dataset_table()) {
    const auto* const text = std::get_if<schema::VariantText>(&entry.content);
    if (text == nullptr) continue;
    std::vector<std::string> texts = impl_->open(std::string(entry.path), {count}).read_texts(0, count);
    for (std::size_t i = 0; i < texts.size(); ++i) table.rows[i].*(*text) = std::move(texts[i]);
  }
  return table;
}

std::vector<std::int64_t> ResultReader::variant_rows() const {
  const std::int64_t count = begins(Extent::variant).back();
  const std::int64_t table = impl_->open(schema::variant_table_id).rows();
  std::vector<std::int64_t> rows = impl_->read<std::int64_t>(schema::variant_row, {count}, 0, count);
  std::vector<bool> seen(static_cast<std::size_t>(table), false);
  for (const std::int64_t row : rows) {
    if (row < 0 || row >= table || seen[static_cast<std::size_t>(row)]) {
      throw_bad(impl_->file, std::string("has ") + schema::variant_row + " that do not fit the table of variants");
    }
    seen[static_cast<std::size_t>(row)] = true;
  }
  return rows;
}

}  // namespace pleat
