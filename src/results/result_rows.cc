// What ResultReader gives row by row: records, inputs, sequences and their numbers.
#include <algorithm>
#include <limits>

#include "format/interfaces.h"
#include "results/result_reader_impl.h"

namespace pleat {
namespace {

RecordStatus status_from(std::uint8_t value) {
  for (const schema::StatusWord& word : schema::status_words) {
    if (static_cast<std::uint8_t>(word.status) == value) return word.status;
  }
  throw Error(ErrorCode::bad_input, std::string(schema::record_status) + " holds the unknown status " +
                                        std::to_string(static_cast<int>(value)));
}

// Chains from 0 without gaps, residues from 1 in each.
bool counts_up(const std::vector<std::uint16_t>& chain, const std::vector<std::int32_t>& residue_number) {
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const bool goes_on = i > 0 && chain[i] == chain[i - 1];
    if (!goes_on && chain[i] != (i == 0 ? 0 : chain[i - 1] + 1)) return false;
    if (residue_number[i] != (goes_on ? residue_number[i - 1] + 1 : 1)) return false;
  }
  return true;
}

}  // namespace

std::vector<InputReport> ResultReader::inputs() const {
  if (!hdf5::has_dataset(impl_->id, schema::input_path)) return {};
  const std::int64_t count = impl_->open(schema::input_path).rows();
  std::vector<InputReport> inputs(static_cast<std::size_t>(count));
  for (const schema::DatasetEntry& entry : schema::dataset_table()) impl_->read_column(entry, inputs);
  return inputs;
}

void ResultReader::Impl::read_column(const schema::DatasetEntry& entry, std::vector<InputReport>& inputs) const {
  const std::string path(entry.path);
  const std::int64_t count = std::ssize(inputs);
  const auto set = [&](auto member, auto values) {
    for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i].*member = std::move(values[i]);
  };
  if (const auto* const text = std::get_if<schema::InputText>(&entry.content)) {
    set(*text, open(path, {count}).read_texts(0, count));
  } else if (const auto* const number = std::get_if<schema::InputNumber>(&entry.content)) {
    set(*number, read<std::int64_t>(path, {count}, 0, count));
  }
}

StatusCounts ResultReader::count_by_status() const {
  constexpr std::int64_t block_rows = 1 << 20;
  StatusCounts counts;
  std::vector<std::uint8_t> block;
  for (std::int64_t first = 0; first < record_count(); first += std::ssize(block)) {
    block.resize(static_cast<std::size_t>(std::min(block_rows, record_count() - first)));
    impl_->open(schema::record_status).read(first, std::ssize(block), H5T_NATIVE_UINT8, block);
    for (const std::uint8_t value : block) {
      switch (status_from(value)) {
        case RecordStatus::ok: ++counts.ok; break;
        case RecordStatus::rejected: ++counts.rejected; break;
        case RecordStatus::failed: ++counts.failed; break;
        case RecordStatus::skipped: ++counts.skipped; break;
      }
    }
  }
  return counts;
}

std::vector<DataSetInfo> ResultReader::datasets() const {
  std::vector<DataSetInfo> infos;
  for (const std::string& path : hdf5::list_datasets(impl_->id)) infos.push_back(impl_->open(path).info());
  return infos;
}

std::vector<Record> ResultReader::records(std::int64_t first, std::int64_t count) const {
  if (first < 0 || count < 0 || first > record_count() - count) {
    throw Error(ErrorCode::bad_input, "there are only " + std::to_string(record_count()) + " records");
  }
  std::vector<Record> records(static_cast<std::size_t>(count));
  for (const schema::DatasetEntry& entry : schema::dataset_table()) impl_->read_column(entry, first, records);
  for (const Record& record : records) {
    if (record.sequence < -1 || record.sequence >= sequence_count()) {
      throw_bad(impl_->file,
                "has a record of sequence row " + std::to_string(record.sequence) + ", which is not there");
    }
  }
  return records;
}

std::vector<RecordCost> ResultReader::costs(std::int64_t first, std::int64_t count) const {
  constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  std::vector<RecordCost> costs(static_cast<std::size_t>(count), RecordCost{unknown, 0, 0, {}});
  const auto numbers = [&]<typename T>(const char* path, T RecordCost::*number) {
    if (!hdf5::has_dataset(impl_->id, path)) return;
    const auto found = impl_->read<T>(path, {record_count()}, first, count);
    for (std::size_t i = 0; i < costs.size(); ++i) costs[i].*number = found[i];
  };
  numbers(schema::record_seconds, &RecordCost::seconds);
  numbers(schema::record_attempts, &RecordCost::attempts);
  numbers(schema::record_memory_rung, &RecordCost::memory_rung);
  for (const RecordCost& cost : costs) {
    if (cost.memory_rung >= schema::memory_rung_words.size()) {
      throw_bad(impl_->file, std::string("holds an unknown word in ") + schema::record_memory_rung);
    }
  }
  if (hdf5::has_dataset(impl_->id, schema::record_device)) {
    std::vector<std::string> found = impl_->open(schema::record_device, {record_count()}).read_texts(first, count);
    for (std::size_t i = 0; i < costs.size(); ++i) costs[i].device = std::move(found[i]);
  }
  return costs;
}

void ResultReader::Impl::read_column(const schema::DatasetEntry& entry, std::int64_t first,
                                     std::vector<Record>& rows) const {
  const auto* const field = std::get_if<schema::RecordField>(&entry.content);
  if (field == nullptr) return;
  const hdf5::OpenDataSet& column = open(std::string(entry.path));
  const std::int64_t count = std::ssize(rows);
  Record any;
  const auto pointer = (*field)(any);
  if (std::holds_alternative<std::string*>(pointer)) {
    std::vector<std::string> texts = column.read_texts(first, count);
    for (std::size_t i = 0; i < texts.size(); ++i) *std::get<std::string*>((*field)(rows[i])) = std::move(texts[i]);
  } else if (std::holds_alternative<std::int64_t*>(pointer)) {
    std::vector<std::int64_t> numbers(rows.size());
    column.read(first, count, H5T_NATIVE_INT64, numbers);
    for (std::size_t i = 0; i < numbers.size(); ++i) *std::get<std::int64_t*>((*field)(rows[i])) = numbers[i];
  } else {
    std::vector<std::uint8_t> words(rows.size());
    column.read(first, count, H5T_NATIVE_UINT8, words);
    for (std::size_t i = 0; i < words.size(); ++i) {
      *std::get<RecordStatus*>((*field)(rows[i])) = status_from(words[i]);
    }
  }
}

StoredSequence ResultReader::sequence(std::int64_t row) const {
  const auto [first, length] = impl_->range_of(row);
  StoredSequence sequence;
  sequence.residues.resize(static_cast<std::size_t>(length));
  sequence.chain.resize(static_cast<std::size_t>(length));
  impl_->open(schema::sequence_residues).read(first, length, H5T_NATIVE_UINT8, sequence.residues);
  impl_->open(schema::sequence_chain).read(first, length, H5T_NATIVE_UINT16, sequence.chain);
  return sequence;
}

bool ResultReader::has_structures() const { return hdf5::has_dataset(impl_->id, schema::positions); }
bool ResultReader::has_interfaces() const { return hdf5::has_dataset(impl_->id, schema::iptm); }
bool ResultReader::has_pae() const { return hdf5::has_dataset(impl_->id, schema::pae); }

StoredStructure ResultReader::structure(std::int64_t row) const {
  StoredStructure structure;
  structure.mean_plddt = impl_->read_of<float>(schema::mean_plddt, row).front();
  structure.ptm = impl_->read_of<float>(schema::ptm, row).front();
  structure.recycles = impl_->read_of<std::int32_t>(schema::recycles, row).front();
  structure.positions = impl_->read_of<float>(schema::positions, row);
  structure.atom_mask = impl_->read_of<std::uint8_t>(schema::atom_mask, row);
  structure.plddt = impl_->read_of<float>(schema::plddt, row);
  structure.chain = impl_->read_of<std::uint16_t>(schema::structure_chain, row);
  if (has_interfaces()) structure.interfaces = interfaces(row);
  structure.residue_number = impl_->read_of<std::int32_t>(schema::residue_number, row);
  if (!counts_up(structure.chain, structure.residue_number)) {
    throw_bad(impl_->file, "has chains or residue numbers in /structures that do not count up, in sequence row " +
                               std::to_string(row));
  }
  return structure;
}

StoredInterfaces ResultReader::interfaces(std::int64_t row) const {
  StoredInterfaces interfaces;
  for (const InterfaceColumn& column : interface_columns) {
    interfaces.*column.values = impl_->read_of<float>(column.path, row);
  }
  return interfaces;
}

std::vector<float> ResultReader::pae(std::int64_t row) const {
  const std::int64_t length = impl_->range_of(row).second;
  const auto offsets = impl_->read<std::int64_t>(schema::pae_offsets, {sequence_count() + 1}, row, 2);
  const std::int64_t values = impl_->open(schema::pae).rows();
  if (offsets[0] < 0 || offsets[1] > values || offsets[1] - offsets[0] != length * length) {
    throw_bad(impl_->file,
              std::string("has ") + schema::pae_offsets + " that do not fit sequence row " + std::to_string(row));
  }
  return impl_->read<float>(schema::pae, {values}, offsets[0], length * length);
}

std::vector<float> ResultReader::values(const std::string& path, std::int64_t row) const {
  return impl_->read_of<float>(path, row);
}

std::vector<float> ResultReader::floats(const std::string& path, std::int64_t first, std::int64_t count) const {
  const hdf5::OpenDataSet& dataset = impl_->open(path);
  std::vector<float> values(static_cast<std::size_t>(dataset.row_values() * count));
  dataset.read(first, count, H5T_NATIVE_FLOAT, values);
  return values;
}

}  // namespace pleat
