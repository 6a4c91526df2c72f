#include "store/result_reader.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <type_traits>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "sequence/residues.h"
#include "store/hdf5_read.h"
#include "store/schema.h"

namespace pleat {
namespace {

[[noreturn]] void throw_bad(const std::filesystem::path& file, const std::string& what, std::string hint = {}) {
  throw Error(ErrorCode::bad_input, "'" + file.string() + "' " + what, std::move(hint));
}

std::int64_t check_format(const hdf5::File& id, const std::filesystem::path& file) {
  if (hdf5::text_attribute(id, schema::attr_format) != schema::format_name) {
    throw_bad(file, "is an HDF5 file, but not one that pleat wrote", "give a file that pleat run wrote");
  }
  const std::int64_t version = hdf5::integer_attribute(id, schema::attr_schema_version).value_or(0);
  if (version < 1) throw_bad(file, "does not say which version of the format it has");
  if (version > schema::version) {
    throw_bad(file,
              "has version " + std::to_string(version) + " of the format; this pleat reads up to version " +
                  std::to_string(schema::version),
              "read it with a newer pleat");
  }
  return version;
}

RecordStatus status_from(std::uint8_t value) {
  for (const schema::StatusWord& word : schema::status_words) {
    if (static_cast<std::uint8_t>(word.status) == value) return word.status;
  }
  throw Error(ErrorCode::bad_input, std::string(schema::record_status) + " holds the unknown status " +
                                        std::to_string(static_cast<int>(value)));
}

template <typename T>
hid_t native_type() {
  if constexpr (std::is_same_v<T, float>) return H5T_NATIVE_FLOAT;
  if constexpr (std::is_same_v<T, double>) return H5T_NATIVE_DOUBLE;
  if constexpr (std::is_same_v<T, std::uint8_t>) return H5T_NATIVE_UINT8;
  if constexpr (std::is_same_v<T, std::uint16_t>) return H5T_NATIVE_UINT16;
  if constexpr (std::is_same_v<T, std::int32_t>) return H5T_NATIVE_INT32;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_NATIVE_INT64;
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

struct ResultReader::Impl {
  explicit Impl(std::filesystem::path path)
      : file((hdf5::silence(), std::move(path))), id(hdf5::open_for_reading(file.string())) {}

  void read_attributes();
  void read_offsets();
  void read_shard();
  const hdf5::OpenDataSet& open(const std::string& path) const;
  // Throws Error(bad_input) unless the dataset has this shape.
  const hdf5::OpenDataSet& open(const std::string& path, const std::vector<std::int64_t>& shape) const;
  // Rows [first, first + count) of such a dataset.
  template <typename T>
  std::vector<T> read(const std::string& path, const std::vector<std::int64_t>& shape, std::int64_t first,
                      std::int64_t count) const;
  // The row's residues: its first one and how many there are.
  std::pair<std::int64_t, std::int64_t> range_of(std::int64_t row) const;

  std::filesystem::path file;
  hdf5::File id;
  std::int64_t version = 0;
  bool complete = false;
  FileAttributes attributes;
  std::string untrained_note;
  std::int64_t records = 0;
  std::vector<std::int64_t> offsets;
  std::optional<ShardPart> shard;
  std::vector<std::int64_t> missing_shards;
  mutable std::map<std::string, hdf5::OpenDataSet> open_datasets;
};

const hdf5::OpenDataSet& ResultReader::Impl::open(const std::string& path) const {
  const auto found = open_datasets.find(path);
  if (found != open_datasets.end()) return found->second;
  hdf5::silence();
  return open_datasets.try_emplace(path, id, path).first->second;
}

const hdf5::OpenDataSet& ResultReader::Impl::open(const std::string& path,
                                                  const std::vector<std::int64_t>& shape) const {
  const hdf5::OpenDataSet& dataset = open(path);
  if (dataset.shape() == shape) return dataset;
  throw_bad(file, "has " + path + " in the shape " + shape_text(dataset.shape()) + " instead of " + shape_text(shape));
}

template <typename T>
std::vector<T> ResultReader::Impl::read(const std::string& path, const std::vector<std::int64_t>& shape,
                                        std::int64_t first, std::int64_t count) const {
  const hdf5::OpenDataSet& dataset = open(path, shape);
  const std::int64_t values = std::accumulate(shape.begin() + 1, shape.end(), count, std::multiplies<>());
  std::vector<T> out(static_cast<std::size_t>(values));
  dataset.read(first, count, native_type<T>(), out.data());
  return out;
}

std::pair<std::int64_t, std::int64_t> ResultReader::Impl::range_of(std::int64_t row) const {
  if (row < 0 || row >= std::ssize(offsets) - 1) {
    throw Error(ErrorCode::bad_input, "there is no sequence row " + std::to_string(row));
  }
  const auto at = static_cast<std::size_t>(row);
  return {offsets[at], offsets[at + 1] - offsets[at]};
}

void ResultReader::Impl::read_attributes() {
  version = check_format(id, file);
  complete = hdf5::integer_attribute(id, schema::attr_complete).value_or(0) == 1;
  const auto text = [this](const char* name) { return hdf5::text_attribute(id, name).value_or(""); };
  attributes.pleat_version = text(schema::attr_pleat_version);
  attributes.created_utc = text(schema::attr_created_utc);
  attributes.manifest_yaml = text(schema::attr_manifest_yaml);
  attributes.manifest_overrides = text(schema::attr_manifest_overrides);
  attributes.manifest_sha256 = text(schema::attr_manifest_sha256);
  attributes.inputs_sha256 = text(schema::attr_inputs_sha256);
  attributes.model_name = text(schema::attr_model_name);
  attributes.model_sha256 = text(schema::attr_model_sha256);
  attributes.precision = text(schema::attr_precision);
  attributes.devices = text(schema::attr_devices);
  attributes.source_revision = text(schema::attr_source_revision);
  untrained_note = text(schema::attr_untrained);
  attributes.untrained = !untrained_note.empty();
}

void ResultReader::Impl::read_offsets() {
  const hdf5::OpenDataSet& stored = open(schema::sequence_offsets);
  const std::int64_t residues = open(schema::sequence_residues).rows();
  if (stored.shape().size() != 1 || stored.rows() < 1) throw_bad(file, "has no usable /sequences/offsets");
  offsets.resize(static_cast<std::size_t>(stored.rows()));
  stored.read(0, stored.rows(), H5T_NATIVE_INT64, offsets.data());
  if (offsets.front() != 0 || offsets.back() != residues || !std::is_sorted(offsets.begin(), offsets.end())) {
    throw_bad(file, "has /sequences/offsets that do not fit its residues");
  }
}

void ResultReader::Impl::read_shard() {
  missing_shards = hdf5::integers_attribute(id, schema::attr_missing_shards);
  const auto count = hdf5::integer_attribute(id, schema::attr_shard_count);
  if (!count) return;
  const auto number = [this](const char* name) { return hdf5::integer_attribute(id, name).value_or(-1); };
  shard.emplace();
  shard->index = number(schema::attr_shard_index);
  shard->count = *count;
  shard->records = number(schema::attr_total_records);
  shard->sequences = number(schema::attr_total_sequences);
  const auto places = [this](const char* path, std::int64_t rows, std::int64_t total) {
    const auto found = read<std::int64_t>(path, {rows}, 0, rows);
    const bool rise = std::ranges::adjacent_find(found, std::greater_equal<>()) == found.end();
    if (!rise || (rows > 0 && (found.front() < 0 || found.back() >= total))) {
      throw_bad(file, std::string("has places in ") + path + " that do not rise within all of them");
    }
    return found;
  };
  shard->record_places = places(schema::record_place, records, shard->records);
  shard->sequence_places = places(schema::sequence_place, std::ssize(offsets) - 1, shard->sequences);
  if (shard->index < 1 || shard->index > shard->count) throw_bad(file, "does not say which shard it is");
}

ResultReader::ResultReader(std::filesystem::path file) : impl_(std::make_unique<Impl>(std::move(file))) {
  impl_->read_attributes();
  impl_->read_offsets();
  impl_->records = impl_->open(schema::record_id).rows();
  impl_->read_shard();
}

ResultReader::~ResultReader() = default;
ResultReader::ResultReader(ResultReader&&) noexcept = default;
ResultReader& ResultReader::operator=(ResultReader&&) noexcept = default;

const std::filesystem::path& ResultReader::file() const { return impl_->file; }
const FileAttributes& ResultReader::attributes() const { return impl_->attributes; }
std::int64_t ResultReader::schema_version() const { return impl_->version; }
bool ResultReader::complete() const { return impl_->complete; }
const std::string& ResultReader::untrained_note() const { return impl_->untrained_note; }
const std::optional<ShardPart>& ResultReader::shard() const { return impl_->shard; }
const std::vector<std::int64_t>& ResultReader::missing_shards() const { return impl_->missing_shards; }
const std::vector<std::int64_t>& ResultReader::offsets() const { return impl_->offsets; }
std::int64_t ResultReader::record_count() const { return impl_->records; }
std::int64_t ResultReader::sequence_count() const { return std::ssize(impl_->offsets) - 1; }
std::int64_t ResultReader::residue_count() const { return impl_->offsets.back(); }

std::vector<InputReport> ResultReader::inputs() const {
  if (!hdf5::has_dataset(impl_->id, schema::input_path)) return {};
  const std::int64_t count = impl_->open(schema::input_path).rows();
  std::vector<InputReport> inputs(static_cast<std::size_t>(count));
  const auto texts = [&](const char* path, std::string InputReport::*text) {
    std::vector<std::string> found = impl_->open(path, {count}).read_texts(0, count);
    for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i].*text = std::move(found[i]);
  };
  const auto numbers = [&](const char* path, std::int64_t InputReport::*number) {
    const auto found = impl_->read<std::int64_t>(path, {count}, 0, count);
    for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i].*number = found[i];
  };
  texts(schema::input_path, &InputReport::path);
  numbers(schema::input_bytes, &InputReport::bytes);
  texts(schema::input_sha256, &InputReport::sha256);
  numbers(schema::input_records, &InputReport::records);
  texts(schema::input_format, &InputReport::format);
  texts(schema::input_problem, &InputReport::problem);
  texts(schema::input_message, &InputReport::message);
  return inputs;
}

StatusCounts ResultReader::count_by_status() const {
  constexpr std::int64_t block_rows = 1 << 20;
  StatusCounts counts;
  std::vector<std::uint8_t> block;
  for (std::int64_t first = 0; first < record_count(); first += std::ssize(block)) {
    block.resize(static_cast<std::size_t>(std::min(block_rows, record_count() - first)));
    impl_->open(schema::record_status).read(first, std::ssize(block), H5T_NATIVE_UINT8, block.data());
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
  const auto rows = static_cast<std::size_t>(count);
  std::vector<std::string> ids = impl_->open(schema::record_id).read_texts(first, count);
  std::vector<std::string> descriptions = impl_->open(schema::record_description).read_texts(first, count);
  std::vector<std::string> codes = impl_->open(schema::record_error_code).read_texts(first, count);
  std::vector<std::string> messages = impl_->open(schema::record_message).read_texts(first, count);
  std::vector<std::int64_t> sequences(rows);
  impl_->open(schema::record_sequence).read(first, count, H5T_NATIVE_INT64, sequences.data());
  std::vector<std::uint8_t> status(rows);
  impl_->open(schema::record_status).read(first, count, H5T_NATIVE_UINT8, status.data());
  std::vector<Record> records(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    if (sequences[i] < -1 || sequences[i] >= sequence_count()) {
      throw_bad(impl_->file, "has a record of sequence row " + std::to_string(sequences[i]) + ", which is not there");
    }
    records[i] = {std::move(ids[i]),      std::move(descriptions[i]), sequences[i],
                  status_from(status[i]), std::move(codes[i]),        std::move(messages[i])};
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

StoredSequence ResultReader::sequence(std::int64_t row) const {
  const auto [first, length] = impl_->range_of(row);
  StoredSequence sequence;
  sequence.residues.resize(static_cast<std::size_t>(length));
  sequence.chain.resize(static_cast<std::size_t>(length));
  impl_->open(schema::sequence_residues).read(first, length, H5T_NATIVE_UINT8, sequence.residues.data());
  impl_->open(schema::sequence_chain).read(first, length, H5T_NATIVE_UINT16, sequence.chain.data());
  return sequence;
}

bool ResultReader::has_structures() const { return hdf5::has_dataset(impl_->id, schema::positions); }
bool ResultReader::has_pae() const { return hdf5::has_dataset(impl_->id, schema::pae); }

StoredStructure ResultReader::structure(std::int64_t row) const {
  const auto [first, length] = impl_->range_of(row);
  const std::int64_t residues = residue_count();
  constexpr auto slots = static_cast<std::int64_t>(residues::slots);
  const auto per_sequence = [&, row = row]<typename T>(const char* path, T& value) {
    value = impl_->read<T>(path, {sequence_count()}, row, 1).front();
  };
  StoredStructure structure;
  per_sequence(schema::mean_plddt, structure.mean_plddt);
  per_sequence(schema::ptm, structure.ptm);
  per_sequence(schema::recycles, structure.recycles);
  structure.positions = impl_->read<float>(schema::positions, {residues, slots, 3}, first, length);
  structure.atom_mask = impl_->read<std::uint8_t>(schema::atom_mask, {residues, slots}, first, length);
  structure.plddt = impl_->read<float>(schema::plddt, {residues, slots}, first, length);
  structure.chain = impl_->read<std::uint16_t>(schema::structure_chain, {residues}, first, length);
  structure.residue_number = impl_->read<std::int32_t>(schema::residue_number, {residues}, first, length);
  if (!counts_up(structure.chain, structure.residue_number)) {
    throw_bad(impl_->file, "has chains or residue numbers in /structures that do not count up, in sequence row " +
                               std::to_string(row));
  }
  return structure;
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

std::vector<float> ResultReader::floats(const std::string& path, std::int64_t first, std::int64_t count) const {
  const hdf5::OpenDataSet& dataset = impl_->open(path);
  std::int64_t row_size = 1;
  for (std::size_t i = 1; i < dataset.shape().size(); ++i) row_size *= dataset.shape()[i];
  std::vector<float> values(static_cast<std::size_t>(row_size * count));
  dataset.read(first, count, H5T_NATIVE_FLOAT, values.data());
  return values;
}

}  // namespace pleat
