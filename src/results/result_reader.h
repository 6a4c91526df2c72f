// Reads a result file: what is in it, its records and sequences, its numbers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "format/extent.h"
#include "format/file_attributes.h"
#include "format/stored_interfaces.h"
#include "hdf5/dataset_info.h"
#include "sequence/dataset.h"

namespace pleat {

struct StatusCounts {
  std::int64_t ok = 0;
  std::int64_t rejected = 0;
  std::int64_t failed = 0;
  std::int64_t skipped = 0;
};

struct StoredSequence {
  std::string residues;
  std::vector<std::uint16_t> chain;  // as long as residues
};

// What computing a record's sequence took.
struct RecordCost {
  double seconds = 0;            // NaN where it was never computed, or the file does not say
  std::int32_t attempts = 0;     // 0 likewise
  std::uint8_t memory_rung = 0;  // place in schema::memory_rung_words
  std::string device;
};

// What was predicted for one sequence of L residues.
struct StoredStructure {
  std::vector<float> positions;              // [L, 14, 3] ångström, in the slots of pleat/sequence/residues.h
  std::vector<std::uint8_t> atom_mask;       // [L, 14]
  std::vector<float> plddt;                  // [L, 14] 0 to 100
  std::vector<std::uint16_t> chain;          // [L] from 0, rising
  std::vector<std::int32_t> residue_number;  // [L] from 1 in each chain
  float mean_plddt = 0;
  float ptm = 0;
  std::int32_t recycles = -1;   // -1: never computed, and nothing else here means anything
  StoredInterfaces interfaces;  // empty where the file has none

  [[nodiscard]] bool computed() const { return recycles >= 0; }
};

// Every call may throw Error(bad_input): the file is damaged, or something in it is not as the schema says.
class ResultReader {
 public:
  // Throws Error(missing_input) when the file is not there or cannot be read, and Error(bad_input) when it is not
  // HDF5, not made by pleat, or of a newer schema.
  explicit ResultReader(std::filesystem::path file);
  ~ResultReader();
  ResultReader(ResultReader&&) noexcept;
  ResultReader& operator=(ResultReader&&) noexcept;

  [[nodiscard]] const std::filesystem::path& file() const;
  [[nodiscard]] const FileAttributes& attributes() const;
  [[nodiscard]] std::int64_t schema_version() const;
  [[nodiscard]] bool complete() const;
  // The sentence that says that the weights are untrained; empty where they are trained.
  [[nodiscard]] const std::string& untrained_note() const;

  // /inputs; empty in a file of an older version.
  [[nodiscard]] std::vector<InputReport> inputs() const;

  // Which shard of its inputs the file is; nothing where it is all of them.
  [[nodiscard]] const std::optional<ShardPart>& shard() const;
  // Of a merged file: the shards that were missing.
  [[nodiscard]] const std::vector<std::int64_t>& missing_shards() const;

  [[nodiscard]] std::int64_t record_count() const;    // N
  [[nodiscard]] std::int64_t sequence_count() const;  // U
  [[nodiscard]] std::int64_t residue_count() const;   // R
  [[nodiscard]] StatusCounts count_by_status() const;
  // Every dataset of the file, sorted by path.
  [[nodiscard]] std::vector<DataSetInfo> datasets() const;

  // Records [first, first + count).
  [[nodiscard]] std::vector<Record> records(std::int64_t first, std::int64_t count) const;
  // Likewise; what the file lacks is as RecordCost has it.
  [[nodiscard]] std::vector<RecordCost> costs(std::int64_t first, std::int64_t count) const;
  [[nodiscard]] StoredSequence sequence(std::int64_t row) const;
  [[nodiscard]] const std::vector<std::int64_t>& offsets() const;  // /sequences/offsets, [U+1]
  // At which row of datasets of that extent each sequence begins, [U+1]. The first call for an extent of chains reads
  // /sequences/chain.
  [[nodiscard]] const std::vector<std::int64_t>& begins(Extent extent) const;
  [[nodiscard]] bool has_structures() const;
  [[nodiscard]] bool has_pae() const;
  [[nodiscard]] StoredStructure structure(std::int64_t row) const;
  [[nodiscard]] bool has_interfaces() const;
  // Of a sequence; all NaN where never computed.
  [[nodiscard]] StoredInterfaces interfaces(std::int64_t row) const;
  // [L, L] ångström; NaN where never computed.
  [[nodiscard]] std::vector<float> pae(std::int64_t row) const;
  // The rows of a dataset that belong to one sequence, row-major, as float32 whatever its type.
  [[nodiscard]] std::vector<float> values(const std::string& path, std::int64_t row) const;
  // Rows [first, first + count) of a float dataset, row-major, as float32 whatever its type.
  [[nodiscard]] std::vector<float> floats(const std::string& path, std::int64_t first, std::int64_t count) const;

  // Scores from the language model, as the file has them.
  [[nodiscard]] bool has_scores() const;
  [[nodiscard]] bool has_substitutions() const;
  [[nodiscard]] bool has_variants() const;
  // The table of variants.
  [[nodiscard]] VariantTable variant_table() const;
  // Of each scored variant its row there, [V].
  [[nodiscard]] std::vector<std::int64_t> variant_rows() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pleat
