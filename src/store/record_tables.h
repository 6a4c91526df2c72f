// The small parts of the result file: root attributes, /records, /sequences, and what /structures says of every run.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "store/guarded_file.h"
#include "store/hdf5_handle.h"
#include "store/result_writer.h"

namespace pleat {

// What happened to each unique sequence, apart from the numbers computed for it.
class SequenceOutcomes {
 public:
  struct Reason {
    std::string error_code;
    std::string message;
  };

  explicit SequenceOutcomes(std::int64_t sequences);
  // Throws Error(internal) when there is no such row, or its outcome is known already.
  void check_new(std::int64_t row) const;
  // Keeps what a result says about its run.
  void keep(const SequenceResult& result);

  [[nodiscard]] bool is_known(std::int64_t row) const { return attempts_[static_cast<std::size_t>(row)] != unknown; }
  [[nodiscard]] double seconds(std::int64_t row) const { return seconds_[static_cast<std::size_t>(row)]; }
  [[nodiscard]] std::int32_t attempts(std::int64_t row) const;
  [[nodiscard]] MemoryRung rung(std::int64_t row) const { return rung_[static_cast<std::size_t>(row)]; }
  [[nodiscard]] const std::string& device(std::int64_t row) const;
  // Why the sequence has no numbers; null where it has.
  [[nodiscard]] const Reason* failure(std::int64_t row) const;
  // What is to be said about a sequence that has numbers; null where there is nothing.
  [[nodiscard]] const Reason* note_on(std::int64_t row) const;

 private:
  static constexpr std::int32_t unknown = -1;
  static constexpr std::uint16_t no_device = 0;

  std::uint16_t device_number(const std::string& name);

  std::vector<double> seconds_;
  std::vector<std::int32_t> attempts_;
  std::vector<MemoryRung> rung_;
  std::vector<std::uint16_t> device_;
  std::vector<std::string> device_names_{""};
  std::unordered_map<std::int64_t, Reason> failures_;
  std::unordered_map<std::int64_t, Reason> notes_;
  Reason not_computed_;
};

void write_attributes(const hdf5::File& file, const FileAttributes& attributes);
// Of a shard: which one it is, and the places of its records and sequences.
void write_shard(const hdf5::File& file, const GuardedFile& guard, const ShardPart& shard);
// Strings as an attribute of an object, such as the alphabet of /logits.
void write_text_list(const hdf5::File& file, const std::string& object, const std::string& name,
                     const std::vector<std::string>& words);
// A string as an attribute of an object.
void write_text(const hdf5::File& file, const std::string& object, const std::string& name, const std::string& value);
// A number as an attribute of "/".
void write_number(const hdf5::File& file, const std::string& name, std::int64_t value);
// Numbers as an attribute of "/".
void write_numbers(const hdf5::File& file, const std::string& name, const std::vector<std::int64_t>& values);
// A column of strings, with its hash. Calls `value` with each row in turn.
void write_text_column(const hdf5::File& file, const GuardedFile& guard, const char* path, std::size_t rows,
                       const std::function<std::string(std::size_t)>& value);
// /inputs. Also what of it is not UTF-8 is written, made so.
void write_inputs(const hdf5::File& file, const GuardedFile& guard, const std::vector<InputReport>& inputs);
void write_sequences(const hdf5::File& file, const GuardedFile& guard, const SequenceTable& sequences);
void write_records(const hdf5::File& file, const GuardedFile& guard, const std::vector<Record>& records,
                   const SequenceOutcomes& outcomes);
// Chains, residue numbers and the names of the atoms' slots.
void write_structure_tables(const hdf5::File& file, const GuardedFile& guard, const SequenceTable& sequences);

}  // namespace pleat
