#include "store/record_tables.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <limits>
#include <string_view>
#include <utility>

#include "core/sha256.h"
#include "sequence/residues.h"
#include "sequence/text.h"
#include "store/chunk_writer.h"
#include "store/hdf5_types.h"
#include "store/schema.h"

namespace pleat {
namespace {

constexpr const char* root = "/";

// values: one for each element of the space.
void write_attribute(const hdf5::File& file, const std::string& object, const std::string& name, const hdf5::Type& type,
                     const hdf5::Space& space, const void* values) {
  const std::string action = "write the attribute " + name + " of " + object;
  const hdf5::Attribute attribute(hdf5::require(H5Acreate_by_name(file.get(), object.c_str(), name.c_str(), type.get(),
                                                                  space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                                                action));
  hdf5::require(H5Awrite(attribute.get(), type.get(), values), action);
}

hdf5::Space scalar() { return hdf5::Space(hdf5::require(H5Screate(H5S_SCALAR), "describe a single value")); }

void write_number(const hdf5::File& file, const char* name, const hdf5::Type& type, const void* value) {
  write_attribute(file, root, name, type, scalar(), value);
}

// One column of numbers, computed row by row.
template <typename T, typename Value>
void write_column(const hdf5::File& file, const GuardedFile& guard, const char* path, const hdf5::Type& type,
                  std::size_t rows, const Value& value) {
  std::size_t next = 0;
  const ByteSource source = [&](std::span<std::byte> out) {
    for (std::size_t at = 0; at < out.size(); at += sizeof(T)) {
      const std::array<T, 1> element{value(next++)};
      std::ranges::copy(std::as_bytes(std::span(element)), out.begin() + static_cast<std::ptrdiff_t>(at));
    }
  };
  write_chunked(file, guard, {path, static_cast<std::int64_t>(rows)}, type, source);
}

hdf5::DataSet make_text_dataset(const hdf5::File& file, const char* path, const hdf5::Type& type, hsize_t rows) {
  const std::string action = std::string("create ") + path;
  const hdf5::Space space(hdf5::require(H5Screate_simple(1, &rows, nullptr), action));
  const hdf5::Properties creation = dataset_properties();
  if (rows > 0) {
    // HDF5 refuses fletcher32 for strings of varying length: the filters see only references to the text.
    const hsize_t chunk = std::min<hsize_t>(rows, schema::string_chunk_rows);
    hdf5::require(H5Pset_chunk(creation.get(), 1, &chunk), action);
    hdf5::require(H5Pset_shuffle(creation.get()), action);
    hdf5::require(H5Pset_deflate(creation.get(), schema::deflate_level), action);
  }
  const hdf5::Properties link = link_properties();
  return hdf5::DataSet(hdf5::require(
      H5Dcreate2(file.get(), path, type.get(), space.get(), link.get(), creation.get(), H5P_DEFAULT), action));
}

// What the file says about one record.
struct RecordOutcome {
  RecordStatus status;
  std::string error_code;
  std::string message;
};

RecordOutcome outcome_of(const Record& record, const SequenceOutcomes& outcomes) {
  RecordOutcome outcome{record.status, record.error_code, record.message};
  if (record.sequence < 0 || record.status != RecordStatus::ok) return outcome;
  if (const auto* const failure = outcomes.failure(record.sequence); failure != nullptr) {
    return {RecordStatus::failed, failure->error_code, failure->message};
  }
  if (const auto* const note = outcomes.note_on(record.sequence); note != nullptr) {
    if (outcome.error_code.empty()) outcome.error_code = note->error_code;
    if (!outcome.message.empty() && !note->message.empty()) outcome.message += "; ";
    outcome.message += note->message;
  }
  return outcome;
}

}  // namespace

SequenceOutcomes::SequenceOutcomes(std::int64_t sequences)
    : seconds_(static_cast<std::size_t>(sequences), std::numeric_limits<double>::quiet_NaN()),
      attempts_(static_cast<std::size_t>(sequences), unknown),
      rung_(static_cast<std::size_t>(sequences), MemoryRung::planned),
      device_(static_cast<std::size_t>(sequences), no_device),
      not_computed_{schema::error_not_computed, "the run ended before this sequence was computed"} {}

void SequenceOutcomes::check_new(std::int64_t row) const {
  const std::string name = "sequence row " + std::to_string(row);
  if (row < 0 || row >= static_cast<std::int64_t>(seconds_.size())) {
    throw Error(ErrorCode::internal, "there is no " + name);
  }
  if (is_known(row)) throw Error(ErrorCode::internal, name + " was added twice");
}

void SequenceOutcomes::keep(const SequenceResult& result) {
  check_new(result.row);
  const auto row = static_cast<std::size_t>(result.row);
  device_[row] = device_number(result.device);
  seconds_[row] = result.seconds;
  attempts_[row] = std::max<std::int32_t>(0, result.attempts);
  rung_[row] = result.rung;
  if (!result.failed && result.error_code.empty() && result.message.empty()) return;
  (result.failed ? failures_ : notes_).emplace(result.row, Reason{result.error_code, result.message});
}

std::int32_t SequenceOutcomes::attempts(std::int64_t row) const {
  return is_known(row) ? attempts_[static_cast<std::size_t>(row)] : 0;
}

const std::string& SequenceOutcomes::device(std::int64_t row) const {
  return device_names_[device_[static_cast<std::size_t>(row)]];
}

const SequenceOutcomes::Reason* SequenceOutcomes::failure(std::int64_t row) const {
  if (!is_known(row)) return &not_computed_;
  const auto found = failures_.find(row);
  return found == failures_.end() ? nullptr : &found->second;
}

const SequenceOutcomes::Reason* SequenceOutcomes::note_on(std::int64_t row) const {
  const auto found = notes_.find(row);
  return found == notes_.end() ? nullptr : &found->second;
}

std::uint16_t SequenceOutcomes::device_number(const std::string& name) {
  const auto number = std::find(device_names_.begin(), device_names_.end(), name) - device_names_.begin();
  if (number == std::ssize(device_names_)) device_names_.push_back(name);
  return static_cast<std::uint16_t>(number);
}

void write_attributes(const hdf5::File& file, const FileAttributes& attributes) {
  write_text(file, root, schema::attr_format, schema::format_name);
  const std::int32_t version = schema::version;
  write_number(file, schema::attr_schema_version, hdf5::copy_of(H5T_STD_I32LE), &version);
  const std::uint8_t complete = 1;
  write_number(file, schema::attr_complete, hdf5::copy_of(H5T_STD_U8LE), &complete);
  write_text(file, root, schema::attr_pleat_version, attributes.pleat_version);
  write_text(file, root, schema::attr_created_utc, attributes.created_utc);
  write_text(file, root, schema::attr_manifest_yaml, attributes.manifest_yaml);
  write_text(file, root, schema::attr_manifest_overrides, attributes.manifest_overrides);
  write_text(file, root, schema::attr_manifest_sha256, attributes.manifest_sha256);
  write_text(file, root, schema::attr_inputs_sha256, attributes.inputs_sha256);
  write_text(file, root, schema::attr_model_name, attributes.model_name);
  write_text(file, root, schema::attr_model_sha256, attributes.model_sha256);
  write_text(file, root, schema::attr_precision, attributes.precision);
  write_text(file, root, schema::attr_devices, attributes.devices);
  write_text(file, root, schema::attr_source_revision, attributes.source_revision);
  if (attributes.untrained) write_text(file, root, schema::attr_untrained, schema::untrained_sentence);
}

void write_text_list(const hdf5::File& file, const std::string& object, const std::string& name,
                     const std::vector<std::string>& words) {
  std::vector<const char*> texts;
  texts.reserve(words.size());
  for (const std::string& word : words) texts.push_back(word.c_str());
  const hsize_t count = texts.size();
  const hdf5::Space space(hdf5::require(H5Screate_simple(1, &count, nullptr), "describe a list"));
  write_attribute(file, object, name, hdf5::text_type(), space, reinterpret_cast<const void*>(texts.data()));
}

void write_text(const hdf5::File& file, const std::string& object, const std::string& name, const std::string& value) {
  const char* const text = value.c_str();
  write_attribute(file, object, name, hdf5::text_type(), scalar(), reinterpret_cast<const void*>(&text));
}

// A block of rows at a time, so that a full disk is noticed early.
void write_text_column(const hdf5::File& file, const GuardedFile& guard, const char* path, std::size_t rows,
                       const std::function<std::string(std::size_t)>& value) {
  const std::string action = std::string("write ") + path;
  const hdf5::Type type = hdf5::text_type();
  const hdf5::DataSet dataset = make_text_dataset(file, path, type, rows);
  const hdf5::Space space(hdf5::require(H5Dget_space(dataset.get()), action));
  Sha256 sha256;
  std::vector<std::string> texts;
  std::vector<const char*> block;
  for (std::size_t begin = 0; begin < rows; begin += block.size()) {
    texts.resize(std::min<std::size_t>(rows - begin, schema::string_chunk_rows));
    for (std::size_t i = 0; i < texts.size(); ++i) texts[i] = value(begin + i);
    block.clear();
    for (const std::string& text : texts) {
      block.push_back(text.c_str());
      sha256.update(std::string_view(text.c_str(), std::strlen(text.c_str()) + 1));
    }
    const hsize_t start = begin;
    const hsize_t count = block.size();
    const hdf5::Space memory(hdf5::require(H5Screate_simple(1, &count, nullptr), action));
    hdf5::require(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, &start, nullptr, &count, nullptr), action);
    hdf5::require(H5Dwrite(dataset.get(), type.get(), memory.get(), space.get(), H5P_DEFAULT,
                           reinterpret_cast<const void*>(block.data())),
                  action);
    guard.throw_if_failed();
  }
  write_text(file, path, schema::attr_text_sha256, sha256.finish());
}

void write_number(const hdf5::File& file, const std::string& name, std::int64_t value) {
  write_number(file, name.c_str(), hdf5::copy_of(H5T_STD_I64LE), &value);
}

void write_numbers(const hdf5::File& file, const std::string& name, const std::vector<std::int64_t>& values) {
  const hsize_t count = values.size();
  const hdf5::Space space(hdf5::require(H5Screate_simple(1, &count, nullptr), "describe a list"));
  write_attribute(file, root, name, hdf5::copy_of(H5T_STD_I64LE), space, values.data());
}

void write_shard(const hdf5::File& file, const GuardedFile& guard, const ShardPart& shard) {
  for (const auto& [name, value] :
       {std::pair(schema::attr_shard_index, shard.index), std::pair(schema::attr_shard_count, shard.count),
        std::pair(schema::attr_total_records, shard.records),
        std::pair(schema::attr_total_sequences, shard.sequences)}) {
    write_number(file, name, hdf5::copy_of(H5T_STD_I64LE), &value);
  }
  for (const auto& [path, places] : {std::pair(schema::record_place, &shard.record_places),
                                     std::pair(schema::sequence_place, &shard.sequence_places)}) {
    write_chunked(file, guard, {path, std::ssize(*places)}, hdf5::copy_of(H5T_STD_I64LE),
                  bytes_from(std::as_bytes(std::span(*places))));
  }
}

void write_inputs(const hdf5::File& file, const GuardedFile& guard, const std::vector<InputReport>& inputs) {
  const auto texts = [&](const char* path, std::string InputReport::*text) {
    write_text_column(file, guard, path, inputs.size(), [&](std::size_t i) {
      std::string clean = inputs[i].*text;
      make_clean_utf8(clean);
      return clean;
    });
  };
  const auto numbers = [&](const char* path, std::int64_t InputReport::*number) {
    write_column<std::int64_t>(file, guard, path, hdf5::copy_of(H5T_STD_I64LE), inputs.size(),
                               [&](std::size_t i) { return inputs[i].*number; });
  };
  texts(schema::input_path, &InputReport::path);
  numbers(schema::input_bytes, &InputReport::bytes);
  texts(schema::input_sha256, &InputReport::sha256);
  numbers(schema::input_records, &InputReport::records);
  texts(schema::input_format, &InputReport::format);
  texts(schema::input_problem, &InputReport::problem);
  texts(schema::input_message, &InputReport::message);
}

void write_sequences(const hdf5::File& file, const GuardedFile& guard, const SequenceTable& sequences) {
  const auto residues = static_cast<std::int64_t>(sequences.all_residues().size());
  write_chunked(file, guard, {schema::sequence_residues, residues}, hdf5::copy_of(H5T_STD_U8LE),
                bytes_from(std::as_bytes(std::span(sequences.all_residues()))));
  write_chunked(file, guard, {schema::sequence_chain, residues}, hdf5::copy_of(H5T_STD_U16LE),
                bytes_from(std::as_bytes(std::span(sequences.all_chains()))));
  write_chunked(file, guard, {schema::sequence_offsets, sequences.size() + 1}, hdf5::copy_of(H5T_STD_I64LE),
                bytes_from(std::as_bytes(std::span(sequences.offsets()))));
}

void write_records(const hdf5::File& file, const GuardedFile& guard, const std::vector<Record>& records,
                   const SequenceOutcomes& outcomes) {
  const std::size_t rows = records.size();
  const auto outcome = [&](std::size_t i) { return outcome_of(records[i], outcomes); };
  write_text_column(file, guard, schema::record_id, rows, [&](std::size_t i) { return records[i].id; });
  write_text_column(file, guard, schema::record_description, rows,
                    [&](std::size_t i) { return records[i].description; });
  write_column<std::int64_t>(file, guard, schema::record_sequence, hdf5::copy_of(H5T_STD_I64LE), rows,
                             [&](std::size_t i) { return records[i].sequence; });
  write_column<RecordStatus>(file, guard, schema::record_status, hdf5::status_type(), rows,
                             [&](std::size_t i) { return outcome(i).status; });
  write_text_column(file, guard, schema::record_error_code, rows, [&](std::size_t i) { return outcome(i).error_code; });
  write_text_column(file, guard, schema::record_message, rows, [&](std::size_t i) { return outcome(i).message; });
  write_column<double>(file, guard, schema::record_seconds, hdf5::copy_of(H5T_IEEE_F64LE), rows, [&](std::size_t i) {
    return records[i].sequence < 0 ? std::numeric_limits<double>::quiet_NaN() : outcomes.seconds(records[i].sequence);
  });
  write_column<std::int32_t>(
      file, guard, schema::record_attempts, hdf5::copy_of(H5T_STD_I32LE), rows,
      [&](std::size_t i) { return records[i].sequence < 0 ? 0 : outcomes.attempts(records[i].sequence); });
  write_column<MemoryRung>(file, guard, schema::record_memory_rung, hdf5::memory_rung_type(), rows, [&](std::size_t i) {
    return records[i].sequence < 0 ? MemoryRung::planned : outcomes.rung(records[i].sequence);
  });
  write_text_column(file, guard, schema::record_device, rows,
                    [&](std::size_t i) { return records[i].sequence < 0 ? "" : outcomes.device(records[i].sequence); });
}

void write_structure_tables(const hdf5::File& file, const GuardedFile& guard, const SequenceTable& sequences) {
  const std::vector<std::uint16_t>& chains = sequences.all_chains();
  write_chunked(file, guard, {schema::structure_chain, std::ssize(chains)}, hdf5::copy_of(H5T_STD_U16LE),
                bytes_from(std::as_bytes(std::span(chains))));
  std::vector<std::int32_t> numbers;
  numbers.reserve(chains.size());
  for (std::int64_t row = 0; row < sequences.size(); ++row) {
    const std::span<const std::uint16_t> chain = sequences.chain(row);
    for (std::size_t i = 0; i < chain.size(); ++i) {
      numbers.push_back(i == 0 || chain[i] != chain[i - 1] ? 1 : numbers.back() + 1);
    }
  }
  write_chunked(file, guard, {schema::residue_number, std::ssize(numbers)}, hdf5::copy_of(H5T_STD_I32LE),
                bytes_from(std::as_bytes(std::span(numbers))));

  constexpr std::size_t longest_name = 4;
  std::string names;
  for (const auto& row : residues::atom_names) {
    for (const std::string_view name : row) names.append(name).append(longest_name - name.size(), '\0');
  }
  write_chunked(file, guard,
                {schema::atom14_names, std::ssize(residues::atom_names), {static_cast<std::int64_t>(residues::slots)}},
                hdf5::fixed_text_type(longest_name), bytes_from(std::as_bytes(std::span(names))));
  write_text(file, schema::atom14_names, schema::attr_residues, std::string(residues::letters));
}

}  // namespace pleat
