// What the inputs hold: one Record per entry, and the unique sequences they refer to.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/record_code.h"
#include "sequence/input_file.h"
#include "sequence/variant_table.h"

namespace pleat {

// Stored as it is in /records/status; the numbers are part of the file format.
enum class RecordStatus : std::uint8_t { ok = 0, rejected = 1, failed = 2, skipped = 3 };

[[nodiscard]] std::string_view name_of(RecordStatus status);

// One entry of an input file, whether or not it can be computed.
struct Record {
  std::string id;              // the header up to the first white space
  std::string description;     // the rest of the header
  std::int64_t sequence = -1;  // row of the unique sequence, -1 where the record was refused
  RecordStatus status = RecordStatus::ok;
  // The word of a RecordCode; empty when there is nothing to say, the first of several notes.
  std::string error_code;
  std::string message;  // for people: why it was refused, or what was changed in it; notes are joined by "; "
};

// The unique sequences end to end. A chain break (written A:B in the input) is not stored as a letter: `chain`
// holds, for each residue, the number of its chain within its sequence, from 0.
class SequenceTable {
 public:
  // Appends one sequence and returns its row. Throws Error(internal) when `chain` is not as long as `residues`.
  std::int64_t append(std::string_view residues, std::span<const std::uint16_t> chain);
  // The same of a row of another table, with its variants.
  std::int64_t append_from(const SequenceTable& other, std::int64_t row);
  // Forgets all rows from `size` on.
  void shrink(std::int64_t size);

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(offsets_.size()) - 1; }
  [[nodiscard]] std::int64_t length(std::int64_t row) const { return offsets_[row + 1] - offsets_[row]; }
  [[nodiscard]] std::string_view residues(std::int64_t row) const {
    return {residues_.data() + offsets_[row], static_cast<std::size_t>(length(row))};
  }
  [[nodiscard]] std::span<const std::uint16_t> chain(std::int64_t row) const {
    return {chain_.data() + offsets_[row], static_cast<std::size_t>(length(row))};
  }
  // 1 for an ordinary sequence.
  [[nodiscard]] std::int64_t chains(std::int64_t row) const { return length(row) == 0 ? 0 : chain(row).back() + 1; }

  // What a table of variants asks of the sequence, in the order of its rows.
  [[nodiscard]] std::span<const SequenceVariant> variants(std::int64_t row) const;
  void set_variants(std::vector<std::vector<SequenceVariant>> variants) { variants_ = std::move(variants); }  // [U]

  [[nodiscard]] const std::string& all_residues() const { return residues_; }            // [R]
  [[nodiscard]] const std::vector<std::uint16_t>& all_chains() const { return chain_; }  // [R]
  [[nodiscard]] const std::vector<std::int64_t>& offsets() const { return offsets_; }    // [U+1]

 private:
  std::string residues_;
  std::vector<std::uint16_t> chain_;
  std::vector<std::int64_t> offsets_{0};
  std::vector<std::vector<SequenceVariant>> variants_;  // of the first rows; those behind have none
};

// Which part of the inputs a dataset holds. Its records and sequences are in the order of the inputs too.
struct ShardPart {
  std::int64_t index = 1;                     // I of I/N, from 1
  std::int64_t count = 1;                     // N
  std::int64_t records = 0;                   // in all shards together
  std::int64_t sequences = 0;                 // unique ones, in all shards together
  std::vector<std::int64_t> record_places;    // of each record here: its row among all
  std::vector<std::int64_t> sequence_places;  // of each unique sequence here: likewise
};

struct Dataset {
  std::vector<Record> records;  // in the order of the inputs
  SequenceTable sequences;      // in the order of their first appearance
  // Of everything that was read: names, residues, refusals and notes, and variants. The same for every shard of the
  // same inputs.
  std::string sha256;
  std::optional<ShardPart> shard;  // empty: these are all records of the inputs
  // Where variants are scored: their whole table, in a shard too.
  std::optional<VariantTable> variants;
  std::vector<InputReport> inputs;  // what was read, in its order; all of it in a shard too
  // Where the records are complexes of two records of the inputs: of each, the ids of A and B.
  std::optional<std::vector<std::array<std::string, 2>>> parts;
  // Things worth a warning that belong to no single record, ready to be shown, such as the number of duplicate ids.
  std::vector<std::string> warnings;
};

}  // namespace pleat
