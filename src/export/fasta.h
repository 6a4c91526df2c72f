// From a result file to FASTA.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "results/result_reader.h"

namespace pleat {

// The letters, chains joined by ':'.
[[nodiscard]] std::string with_chain_breaks(const StoredSequence& sequence);

// One entry: ">id description", then the residues in lines of 60 columns, chains joined by ':', each line ended.
[[nodiscard]] std::string fasta_entry(const Record& record, const StoredSequence& sequence);

// Called with one piece of the output after the other.
using TextSink = std::function<void(std::string_view)>;

// Hears of each record that was asked for and has no sequence.
using SkippedSink = std::function<void(const Record&)>;

// Every record that has a sequence, in the order of the inputs; with `ids` only the records of those names. Returns
// how many were written. Throws Error(bad_input) that lists the ids that are not there or have no sequence, before
// anything is written.
std::int64_t export_fasta(const ResultReader& results, const std::vector<std::string>& ids, const TextSink& sink,
                          const SkippedSink& skipped = {});

}  // namespace pleat
