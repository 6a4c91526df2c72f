// The records of all files of a report, side by side.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "results/result_reader.h"
#include "sequence/dataset.h"

namespace pleat {

// One entry per record, file after file, in each in its order. Numbers that a record lacks are NaN.
struct RecordTable {
  std::vector<std::string> id;
  std::vector<std::string> description;
  std::vector<std::string> message;
  std::vector<std::string> code;
  std::vector<std::uint16_t> file;
  std::vector<std::uint8_t> status;    // of RecordStatus
  std::vector<std::int32_t> sequence;  // row of its file's /sequences, -1 where the record was refused
  std::vector<std::int32_t> length;    // residues, 0 where refused
  std::vector<std::uint16_t> chains;   // 0 where refused
  std::vector<float> mean_plddt;       // 0 to 100
  std::vector<float> ptm;              // 0 to 1
  std::vector<float> iptm;             // 0 to 1, of complexes
  std::vector<float> ipsae;            // 0 to 1, of the best two chains of a complex
  std::vector<float> pseudo_perplexity;
  std::vector<float> seconds;          // what computing it took
  std::vector<std::int32_t> attempts;  // how often it was tried
  std::vector<std::uint8_t> rung;      // place in schema::memory_rung_words
  std::vector<std::string> device;
  std::vector<std::uint8_t> is_first;  // 1 for the first record of its sequence, which was computed once

  [[nodiscard]] std::size_t size() const { return id.size(); }
  [[nodiscard]] bool is_ok(std::size_t i) const { return status[i] == static_cast<std::uint8_t>(RecordStatus::ok); }
};

// Throws what the reader throws.
[[nodiscard]] RecordTable read_records(const std::vector<ResultReader>& files);

// Whether any record is a complex whose interfaces were rated.
[[nodiscard]] bool have_interfaces(const RecordTable& records);

// Whether any of the files has scores of the language model.
[[nodiscard]] bool have_scores(const std::vector<ResultReader>& files);

// Whether any of the files has structures.
[[nodiscard]] bool have_structures(const std::vector<ResultReader>& files);

}  // namespace pleat
