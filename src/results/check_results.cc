#include "results/check_results.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "core/error.h"
#include "core/sha256.h"
#include "format/schema.h"
#include "format/schema_table.h"
#include "hdf5/hdf5_read.h"
#include "results/check_numbers.h"
#include "results/problems.h"
#include "results/result_reader.h"
#include "results/row_reader.h"
#include "sequence/residues.h"

namespace pleat {
namespace {

constexpr std::string_view known_letters = "ACDEFGHIKLMNPQRSTVWYXBUZO";

using schema::DatasetEntry;

class ResultChecker {
 public:
  explicit ResultChecker(const std::filesystem::path& path)
      : reader_(path), file_(hdf5::open_for_reading(path.string())) {
    for (DataSetInfo& info : reader_.datasets()) datasets_.emplace(info.path, std::move(info));
  }

  ResultCheck operator()() {
    attributes();
    for (const DatasetEntry& entry : schema::dataset_table()) {
      if (is_expected(entry) && !has(std::string(entry.path))) {
        problems_.add(std::string(entry.path), "missing", "the dataset is missing");
      }
    }
    for (const auto& dataset : datasets_) {
      const DatasetEntry* const entry = schema::find_dataset(dataset.first);
      if (entry != nullptr) guard(dataset.first, [&] { form(dataset.second, *entry); });
    }
    for (const auto& dataset : datasets_) guard(dataset.first, [&] { columns(dataset.second); });
    guard(schema::records_group, [&] { records(); });
    guard(schema::sequence_residues, [&] { letters(); });
    guard(schema::sequence_chain, [&] { chains(); });
    if (has(schema::variant_row)) guard(schema::variant_row, [&] { static_cast<void>(reader_.variant_rows()); });
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

  // What belongs together is there as a whole. Which layers there should be the file does not say.
  [[nodiscard]] bool is_expected(const DatasetEntry& entry) const {
    if (entry.present == schema::Present::always) return true;
    return !entry.is_of_layer() && std::ranges::any_of(datasets_, [&](const auto& dataset) {
      const DatasetEntry* const other = schema::find_dataset(dataset.first);
      return other != nullptr && other->present == entry.present;
    });
  }

  [[nodiscard]] std::int64_t rows_of_kind(const DatasetEntry& entry) const {
    if (entry.is_offsets()) return reader_.sequence_count() + 1;
    switch (entry.extent) {
      case Extent::record: return reader_.record_count();
      case Extent::input: return std::ssize(reader_.inputs());
      case Extent::residue_kind: return std::ssize(residues::atom_names);
      case Extent::variant_row: return hdf5::OpenDataSet(file_, schema::variant_table_id).rows();
      default: return reader_.begins(entry.extent).back();
    }
  }

  // Type, shape and, of offsets, the values.
  void form(const DataSetInfo& info, const DatasetEntry& entry) {
    if (!may_be_stored_as(entry.element, info.type)) problems_.add(info.path, "type", "the type is " + info.type);
    const std::int64_t rows = rows_of_kind(entry);
    if (info.shape.empty() || info.shape.front() != rows || !has_row_shape(info, entry)) {
      problems_.add(info.path, "shape",
                    "there are " + std::to_string(info.shape.empty() ? 0 : info.shape[0]) +
                        " rows, or rows of another size, instead of " + std::to_string(rows));
    }
    if (const auto* const offsets = std::get_if<schema::Offsets>(&entry.content)) check_offsets(info, offsets->of);
  }

  [[nodiscard]] static bool has_row_shape(const DataSetInfo& info, const DatasetEntry& entry) {
    const std::vector<std::int64_t> expected = entry.sizes();
    const auto fits = [](std::int64_t found, std::int64_t size) { return size < 0 ? found > 0 : found == size; };
    return std::equal(info.shape.begin() + 1, info.shape.end(), expected.begin(), expected.end(), fits);
  }

  void check_offsets(const DataSetInfo& info, Extent extent) {
    const hdf5::OpenDataSet stored(file_, info.path);
    std::vector<std::int64_t> found(static_cast<std::size_t>(stored.rows()));
    stored.read(0, stored.rows(), H5T_NATIVE_INT64, found);
    if (found != reader_.begins(extent)) {
      problems_.add(info.path, "values", "the offsets are not those of the sequences");
    }
  }

  // The hash of a column of strings. Chunks of numbers have checksums, which reading them checks.
  void columns(const DataSetInfo& info) {
    const hdf5::OpenDataSet column(file_, info.path);
    if (!column.is_text_column()) {
      const DatasetEntry* const entry = schema::find_dataset(info.path);
      if (entry == nullptr || !is_looked_at_elsewhere(*entry)) read_through(column);
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

  [[nodiscard]] static bool is_looked_at_elsewhere(const DatasetEntry& entry) {
    return entry.is_computed() || entry.path == schema::sequence_residues || entry.path == schema::sequence_chain;
  }

  void read_through(const hdf5::OpenDataSet& dataset) const {
    if (dataset.holds_pointers()) throw Error(ErrorCode::bad_input, dataset.path() + " holds texts, which none should");
    const std::int64_t row_bytes =
        std::max<std::int64_t>(1, dataset.info().raw_bytes / std::max<std::int64_t>(1, dataset.rows()));
    const std::int64_t block_rows = std::max<std::int64_t>(1, schema::chunk_bytes / row_bytes);
    std::vector<std::byte> block(static_cast<std::size_t>(block_rows * row_bytes));
    for (std::int64_t first = 0; first < dataset.rows(); first += block_rows) {
      const std::int64_t count = std::min(block_rows, dataset.rows() - first);
      dataset.read(first, count, dataset.type(), std::span(block).first(static_cast<std::size_t>(count * row_bytes)));
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
    NumberChecker checker(reader_, file_, states_, problems_);
    for (const auto& dataset : datasets_) {
      const DatasetEntry* const entry = schema::find_dataset(dataset.first);
      if (entry == nullptr || !entry->is_computed()) continue;
      guard(dataset.first, [&] { checker.check(dataset.second, *entry); });
    }
    for (const auto& dataset : datasets_) {
      const std::string& path = dataset.first;
      const DatasetEntry* const entry = schema::find_dataset(path);
      if (entry == nullptr || entry->path != schema::layer_mean) continue;
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
