#include "store/check_results.h"

#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "core/error.h"
#include "core/sha256.h"
#include "store/check_numbers.h"
#include "store/hdf5_read.h"
#include "store/problems.h"
#include "store/result_reader.h"
#include "store/row_reader.h"
#include "store/schema.h"

namespace pleat {
namespace {

constexpr std::string_view known_letters = "ACDEFGHIKLMNPQRSTVWYXBUZO";

// A type, and how many rows there are: one for each record, each sequence, each residue or each pair of residues.
enum class Rows : std::uint8_t { records, sequences, sequences_and_one, residues, pairs, types };
struct Expected {
  const char* path;
  const char* type;
  Rows rows;
  std::vector<std::int64_t> row_shape = {};
};

const std::vector<Expected>& always_there() {
  static const std::vector<Expected> expected{{schema::record_id, "utf8", Rows::records},
                                              {schema::record_description, "utf8", Rows::records},
                                              {schema::record_sequence, "int64", Rows::records},
                                              {schema::record_status, "enum", Rows::records},
                                              {schema::record_error_code, "utf8", Rows::records},
                                              {schema::record_message, "utf8", Rows::records},
                                              {schema::record_seconds, "float64", Rows::records},
                                              {schema::record_attempts, "int32", Rows::records},
                                              {schema::record_memory_rung, "enum", Rows::records},
                                              {schema::record_device, "utf8", Rows::records},
                                              {schema::sequence_residues, "uint8", Rows::residues},
                                              {schema::sequence_chain, "uint16", Rows::residues},
                                              {schema::sequence_offsets, "int64", Rows::sequences_and_one}};
  return expected;
}

const std::vector<Expected>& with_structures() {
  static const std::vector<Expected> expected{{schema::positions, "float32", Rows::residues, {14, 3}},
                                              {schema::atom_mask, "uint8", Rows::residues, {14}},
                                              {schema::plddt, "", Rows::residues, {14}},
                                              {schema::mean_plddt, "float32", Rows::sequences},
                                              {schema::ptm, "float32", Rows::sequences},
                                              {schema::recycles, "int32", Rows::sequences},
                                              {schema::structure_chain, "uint16", Rows::residues},
                                              {schema::residue_number, "int32", Rows::residues},
                                              {schema::atom14_names, "utf8", Rows::types, {14}}};
  return expected;
}

class ResultChecker {
 public:
  explicit ResultChecker(const std::filesystem::path& path)
      : reader_(path), file_(hdf5::open_for_reading(path.string())) {
    for (DataSetInfo& info : reader_.datasets()) datasets_.emplace(info.path, std::move(info));
  }

  ResultCheck operator()() {
    attributes();
    for (const Expected& expected : always_there()) expect(expected);
    if (has(schema::positions)) {
      for (const Expected& expected : with_structures()) expect(expected);
    }
    pair_offsets(schema::contact_values, schema::contact_offsets);
    pair_offsets(schema::pae, schema::pae_offsets);
    for (const auto& dataset : datasets_) guard(dataset.first, [&] { columns(dataset.second); });
    guard(schema::records_group, [&] { records(); });
    guard(schema::sequence_residues, [&] { letters(); });
    guard(schema::sequence_chain, [&] { chains(); });
    if (states_known_) numbers();
    ResultCheck check;
    check.problems = problems_.list();
    check.datasets = std::ssize(datasets_);
    for (const auto& [path, info] : datasets_) check.bytes += info.raw_bytes;
    return check;
  }

 private:
  [[nodiscard]] bool has(const std::string& path) const { return datasets_.contains(path); }

  // What cannot be read is a problem of that dataset, and the others are looked at all the same.
  template <class Body>
  void guard(const std::string& place, const Body& body) {
    try {
      body();
    } catch (const Error& error) {
      problems_.add(place, "unreadable", error.what());
    }
  }

  void attributes() {
    if (!reader_.complete()) problems_.add("/", "complete", "the attribute complete is not 1");
    const FileAttributes& made = reader_.attributes();
    std::string manifest = made.manifest_yaml;
    if (!made.manifest_overrides.empty()) manifest += '\0' + made.manifest_overrides;
    if (sha256_of(manifest) != made.manifest_sha256) {
      problems_.add("/", "manifest", "manifest_sha256 is not the hash of manifest_yaml and manifest_overrides");
    }
    for (const std::int64_t shard : reader_.missing_shards()) {
      problems_.add("/", "missing_shards", "the records of shard " + std::to_string(shard) + " are missing");
    }
  }

  [[nodiscard]] std::int64_t rows_of_kind(Rows rows) const {
    switch (rows) {
      case Rows::records: return reader_.record_count();
      case Rows::sequences: return reader_.sequence_count();
      case Rows::sequences_and_one: return reader_.sequence_count() + 1;
      case Rows::residues: return reader_.residue_count();
      case Rows::pairs: return pair_begins().back();
      case Rows::types: return 21;
    }
    return -1;
  }

  void expect(const Expected& expected) {
    const auto found = datasets_.find(expected.path);
    if (found == datasets_.end()) return problems_.add(expected.path, "missing", "the dataset is missing");
    std::vector<std::int64_t> shape{rows_of_kind(expected.rows)};
    shape.insert(shape.end(), expected.row_shape.begin(), expected.row_shape.end());
    const std::string_view type = expected.type;
    const bool is_float = found->second.type == "float16" || found->second.type == "float32";
    if (type.empty() ? !is_float : found->second.type != type) {
      problems_.add(expected.path, "type", "the type is " + found->second.type);
    }
    if (found->second.shape != shape) {
      problems_.add(expected.path, "shape",
                    "there are " + std::to_string(found->second.shape.empty() ? 0 : found->second.shape[0]) +
                        " rows, or rows of another size, instead of " + std::to_string(shape[0]));
    }
  }

  [[nodiscard]] std::vector<std::int64_t> pair_begins() const {
    std::vector<std::int64_t> begins{0};
    const std::vector<std::int64_t>& offsets = reader_.offsets();
    for (std::size_t row = 0; row + 1 < offsets.size(); ++row) {
      const std::int64_t length = offsets[row + 1] - offsets[row];
      begins.push_back(begins.back() + length * length);
    }
    return begins;
  }

  void pair_offsets(const char* values, const char* offsets) {
    if (!has(values) && !has(offsets)) return;
    expect({values, "", Rows::pairs});
    expect({offsets, "int64", Rows::sequences_and_one});
    if (!has(offsets)) return;
    guard(offsets, [&] {
      const hdf5::OpenDataSet stored(file_, offsets);
      std::vector<std::int64_t> found(static_cast<std::size_t>(stored.rows()));
      stored.read(0, stored.rows(), H5T_NATIVE_INT64, found.data());
      if (found != pair_begins())
        problems_.add(offsets, "values", "the offsets are not those of the sequences' squares");
    });
  }

  // The hash of a column of strings. Chunks of numbers have checksums, which reading them checks.
  void columns(const DataSetInfo& info) {
    const hdf5::OpenDataSet column(file_, info.path);
    if (!column.is_text_column()) {
      if (!looked_at_elsewhere(info.path)) read_through(column);
      return;
    }
    Sha256 sha256;
    for (std::int64_t first = 0; first < column.rows(); first += schema::string_chunk_rows) {
      for (const std::string& text :
           column.read_texts(first, std::min(schema::string_chunk_rows, column.rows() - first))) {
        sha256.update(std::string_view(text.c_str(), text.size() + 1));
      }
    }
    const std::vector<std::string> stored = hdf5::texts_attribute(file_, info.path, schema::attr_text_sha256);
    if (stored.empty() || stored.front() != sha256.finish()) {
      problems_.add(info.path, "hash", "the texts are not those that were written");
    }
  }

  [[nodiscard]] static bool looked_at_elsewhere(const std::string& path) {
    return is_checked_number(path) || path == schema::sequence_residues || path == schema::sequence_chain;
  }

  void read_through(const hdf5::OpenDataSet& dataset) const {
    const std::int64_t row_bytes =
        std::max<std::int64_t>(1, dataset.info().raw_bytes / std::max<std::int64_t>(1, dataset.rows()));
    const std::int64_t block_rows = std::max<std::int64_t>(1, schema::chunk_bytes / row_bytes);
    std::vector<std::byte> block(static_cast<std::size_t>(block_rows * row_bytes));
    for (std::int64_t first = 0; first < dataset.rows(); first += block_rows) {
      dataset.read(first, std::min(block_rows, dataset.rows() - first), dataset.type(), block.data());
    }
  }

  // Each record by itself, and what its status makes of its sequence.
  void records() {
    constexpr std::int64_t block = 4096;
    states_.assign(static_cast<std::size_t>(reader_.sequence_count()), SequenceState::unused);
    for (std::int64_t first = 0; first < reader_.record_count(); first += block) {
      const std::int64_t count = std::min(block, reader_.record_count() - first);
      const std::vector<Record> some = reader_.records(first, count);
      for (std::int64_t i = 0; i < count; ++i) record(first + i, some[static_cast<std::size_t>(i)]);
    }
    for (std::size_t row = 0; row < states_.size(); ++row) {
      if (states_[row] == SequenceState::unused) {
        problems_.add(schema::record_sequence, "unused", "no record refers to sequence " + std::to_string(row));
      }
    }
    states_known_ = true;
  }

  void record(std::int64_t number, const Record& record) {
    const std::string name = "record " + std::to_string(number);
    if (record.id.empty()) problems_.add(schema::record_id, "empty", name + " has no id");
    if (record.status != RecordStatus::ok && record.error_code.empty()) {
      problems_.add(schema::record_error_code, "empty", name + " is not ok and does not say why");
    }
    if (record.sequence < -1 || record.sequence >= reader_.sequence_count()) {
      return problems_.add(schema::record_sequence, "range",
                           name + " refers to sequence " + std::to_string(record.sequence) + ", which is not there");
    }
    const bool refused = record.status == RecordStatus::rejected;
    if (refused != (record.sequence == -1)) {
      problems_.add(schema::record_sequence, "status",
                    name + (refused ? " is rejected and has a sequence" : " is not rejected and has no sequence"));
    }
    if (record.sequence < 0) return;
    SequenceState& state = states_[static_cast<std::size_t>(record.sequence)];
    const SequenceState own = record.status == RecordStatus::ok ? SequenceState::computed : SequenceState::missing;
    if (state != SequenceState::unused && state != own) {
      problems_.add(schema::record_status, "contradiction",
                    "the records of sequence " + std::to_string(record.sequence) + " disagree about it");
    }
    state = own;
  }

  void letters() {
    const hdf5::OpenDataSet residues(file_, schema::sequence_residues);
    read_by_sequence<std::uint8_t>(residues, H5T_NATIVE_UINT8, reader_.offsets(),
                                   [&](std::int64_t row, std::int64_t, std::span<const std::uint8_t> all) {
                                     for (const std::uint8_t letter : all) {
                                       if (known_letters.find(static_cast<char>(letter)) != std::string_view::npos)
                                         continue;
                                       problems_.add(schema::sequence_residues, "letter",
                                                     "sequence " + std::to_string(row) + " holds what is no residue");
                                     }
                                   });
    for (std::size_t row = 0; row + 1 < reader_.offsets().size(); ++row) {
      if (reader_.offsets()[row] == reader_.offsets()[row + 1]) {
        problems_.add(schema::sequence_offsets, "empty", "sequence " + std::to_string(row) + " has no residues");
      }
    }
  }

  // Chains count from 0 in each sequence, without gaps.
  void chains() {
    const hdf5::OpenDataSet stored(file_, schema::sequence_chain);
    int last = 0;
    read_by_sequence<std::uint16_t>(stored, H5T_NATIVE_UINT16, reader_.offsets(),
                                    [&](std::int64_t row, std::int64_t begin, std::span<const std::uint16_t> chain) {
                                      if (begin == 0) last = 0;
                                      for (std::size_t i = 0; i < chain.size(); ++i) {
                                        const bool starts = begin == 0 && i == 0;
                                        if (starts ? chain[i] != 0 : chain[i] != last && chain[i] != last + 1) {
                                          problems_.add(
                                              schema::sequence_chain, "count",
                                              "the chains of sequence " + std::to_string(row) + " do not count up");
                                        }
                                        last = chain[i];
                                      }
                                    });
    if (!has(schema::structure_chain)) return;
    // The reader checks chains and residue numbers of structures against each other.
    for (std::int64_t row = 0; row < reader_.sequence_count(); ++row) {
      guard(schema::residue_number, [&] {
        if (reader_.structure(row).chain != reader_.sequence(row).chain) {
          problems_.add(schema::structure_chain, "differs",
                        "sequence " + std::to_string(row) + " has other chains there");
        }
      });
    }
  }

  void numbers() {
    const std::vector<std::int64_t> pairs = pair_begins();
    std::vector<std::int64_t> ones(states_.size() + 1);
    std::iota(ones.begin(), ones.end(), std::int64_t{0});
    NumberChecker checker(file_, states_, {ones, reader_.offsets(), pairs}, problems_);
    for (const auto& dataset : datasets_) {
      if (is_checked_number(dataset.first)) guard(dataset.first, [&] { checker.check(dataset.second); });
    }
    for (const auto& dataset : datasets_) {
      const std::string& path = dataset.first;
      if (!path.starts_with(schema::embeddings_group) || !path.ends_with(schema::mean_name)) continue;
      const std::string residues = path.substr(0, path.rfind('/') + 1) + schema::per_residue_name;
      if (has(residues)) guard(path, [&] { checker.check_mean(dataset.second, datasets_.at(residues)); });
    }
    if (has(schema::plddt)) guard(schema::mean_plddt, [&] { checker.check_mean_plddt(datasets_.at(schema::plddt)); });
  }

  ResultReader reader_;
  hdf5::File file_;
  std::map<std::string, DataSetInfo> datasets_;
  Problems problems_;
  std::vector<SequenceState> states_;
  bool states_known_ = false;
};

}  // namespace

ResultCheck check_results(const std::filesystem::path& file) {
  hdf5::silence();
  try {
    return ResultChecker(file)();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::bad_input) throw;
    ResultCheck check;
    check.problems.push_back({"/", error.what()});
    return check;
  }
}

}  // namespace pleat
