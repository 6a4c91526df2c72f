// Every dataset of the result file.
#include <array>
#include <cstddef>

#include "format/schema.h"
#include "format/schema_table.h"
#include "format/score_rows_impl.h"
#include "format/structure_rows_impl.h"

namespace pleat::schema {
namespace {

using RecordPointer = std::variant<std::string*, std::int64_t*, RecordStatus*>;
using OutcomePointer = std::variant<std::string*, double*, std::int32_t*, MemoryRung*>;
using Bytes = std::span<const std::byte>;

Bytes residue_bytes(const SequenceTable& sequences, std::vector<std::byte>& /*scratch*/) {
  return std::as_bytes(std::span(sequences.all_residues()));
}

constexpr std::array first_rows{
    DatasetEntry{.path = record_id,
                 .element = Element::text,
                 .extent = Extent::record,
                 .content = RecordField([](Record& r) -> RecordPointer { return &r.id; }),
                 .help = "The record's name: the header up to the first white space. Names may repeat."},
    DatasetEntry{.path = record_description,
                 .element = Element::text,
                 .extent = Extent::record,
                 .content = RecordField([](Record& r) -> RecordPointer { return &r.description; }),
                 .help = "The rest of the header."},
    DatasetEntry{.path = record_sequence,
                 .element = Element::int64,
                 .extent = Extent::record,
                 .content = RecordField([](Record& r) -> RecordPointer { return &r.sequence; }),
                 .unit = "row of /sequences",
                 .help = "Where the record's results are. Records with equal sequences share a row; -1 where the "
                         "record was refused, which Python takes for the last row."},
    DatasetEntry{.path = record_status,
                 .element = Element::status,
                 .extent = Extent::record,
                 .content = RecordField([](Record& r) -> RecordPointer { return &r.status; }),
                 .help = "0 ok, 1 rejected (a bad record), 2 failed (could not be computed), 3 skipped."},
    DatasetEntry{.path = record_error_code,
                 .element = Element::text,
                 .extent = Extent::record,
                 .content = RecordField([](Record& r) -> RecordPointer { return &r.error_code; }),
                 .help = "Why, as a word for programs; see below."},
    DatasetEntry{
        .path = record_message,
        .element = Element::text,
        .extent = Extent::record,
        .content = RecordField([](Record& r) -> RecordPointer { return &r.message; }),
        .help =
            "Why, as a sentence for people. A record that is ok may have a note here, such as letters that became X."},
    DatasetEntry{
        .path = record_seconds,
        .element = Element::float64,
        .extent = Extent::record,
        .content = OutcomeField([](StoredRecord& r) -> OutcomePointer { return &r.seconds; }),
        .unit = "s",
        .help = "What computing its sequence took; NaN where it was never computed, 0 where it came from a cache."},
    DatasetEntry{.path = record_attempts,
                 .element = Element::int32,
                 .extent = Extent::record,
                 .content = OutcomeField([](StoredRecord& r) -> OutcomePointer { return &r.attempts; }),
                 .help = "How often it was tried; 0 where it never was, or came from a cache."},
    DatasetEntry{.path = record_memory_rung,
                 .element = Element::memory_rung,
                 .extent = Extent::record,
                 .content = OutcomeField([](StoredRecord& r) -> OutcomePointer { return &r.rung; }),
                 .help = "What it took when memory ran out: 0 nothing special, 1 a smaller batch, 2 a smaller chunk, 3 "
                         "lower precision. Results are the same but with 3."},
    DatasetEntry{.path = record_device,
                 .element = Element::text,
                 .extent = Extent::record,
                 .content = OutcomeField([](StoredRecord& r) -> OutcomePointer { return &r.device; }),
                 .help = "Where it was computed, such as `cpu:0`; `cache` where `--cache` had it."},
    DatasetEntry{.path = record_place,
                 .element = Element::int64,
                 .extent = Extent::record,
                 .present = Present::in_shard,
                 .content = &ShardPart::record_places,
                 .unit = "row",
                 .help = "The record's row among all records of the inputs."},
    DatasetEntry{.path = record_part_a,
                 .element = Element::text,
                 .extent = Extent::record,
                 .present = Present::with_pairs,
                 .content = PartName{0},
                 .help = "Of a complex of two records of the inputs, the id of the first, whose chains come first."},
    DatasetEntry{.path = record_part_b,
                 .element = Element::text,
                 .extent = Extent::record,
                 .present = Present::with_pairs,
                 .content = PartName{1},
                 .help = "Likewise of the second."},

    DatasetEntry{.path = input_path,
                 .element = Element::text,
                 .extent = Extent::input,
                 .present = Present::since_inputs,
                 .content = &InputReport::path,
                 .help = "The input file, as it was found."},
    DatasetEntry{.path = input_bytes,
                 .element = Element::int64,
                 .extent = Extent::input,
                 .present = Present::since_inputs,
                 .content = &InputReport::bytes,
                 .unit = "bytes",
                 .help = "Its size on the disk."},
    DatasetEntry{.path = input_sha256,
                 .element = Element::text,
                 .extent = Extent::input,
                 .present = Present::since_inputs,
                 .content = &InputReport::sha256,
                 .help = "SHA-256 of those bytes; empty where it could not be read."},
    DatasetEntry{.path = input_records,
                 .element = Element::int64,
                 .extent = Extent::input,
                 .present = Present::since_inputs,
                 .content = &InputReport::records,
                 .help = "How many records came of it, refused ones too; of a table of pairs, its rows."},
    DatasetEntry{.path = input_format,
                 .element = Element::text,
                 .extent = Extent::input,
                 .present = Present::since_inputs,
                 .content = &InputReport::format,
                 .help = "`fasta`, `table` or `pairs`, and what it is compressed with."},
    DatasetEntry{.path = input_problem,
                 .element = Element::text,
                 .extent = Extent::input,
                 .present = Present::since_inputs,
                 .content = &InputReport::problem,
                 .help = "`missing`, `unknown`, `cut_off` or `damaged`; `empty`, which is no fault; or nothing."},
    DatasetEntry{.path = input_message,
                 .element = Element::text,
                 .extent = Extent::input,
                 .present = Present::since_inputs,
                 .content = &InputReport::message,
                 .help = "The same for people."},

    DatasetEntry{.path = sequence_residues,
                 .element = Element::uint8,
                 .extent = Extent::residue,
                 .content = OfSequences(residue_bytes),
                 .unit = "ASCII",
                 .help = "One-letter codes, end to end."},
    DatasetEntry{.path = sequence_chain,
                 .element = Element::uint16,
                 .extent = Extent::residue,
                 .content = OfSequences(rows::chain_bytes),
                 .help = "Number of the chain within its sequence, from 0; above 0 only for inputs written as A:B."},
    DatasetEntry{.path = sequence_offsets,
                 .element = Element::int64,
                 .extent = Extent::sequence,
                 .content = Offsets{Extent::residue},
                 .unit = "residues",
                 .help = "The residues of row u are [offsets[u], offsets[u + 1])."},
    DatasetEntry{.path = sequence_place,
                 .element = Element::int64,
                 .extent = Extent::sequence,
                 .present = Present::in_shard,
                 .content = &ShardPart::sequence_places,
                 .unit = "row",
                 .help = "The row among all unique sequences of the inputs."},

    DatasetEntry{.path = layer_mean,
                 .element = Element::embedding_float,
                 .extent = Extent::sequence,
                 .row_shape = {model_width},
                 .present = Present::with_mean,
                 .content = ResultField([](SequenceResult& r, std::size_t k) -> Values { return &r.layers[k].mean; }),
                 .help = "Mean over the residues."},
    DatasetEntry{.path = layer_bos,
                 .element = Element::embedding_float,
                 .extent = Extent::sequence,
                 .row_shape = {model_width},
                 .present = Present::with_bos,
                 .content = ResultField([](SequenceResult& r, std::size_t k) -> Values { return &r.layers[k].bos; }),
                 .help = "The vector of the begin token."},
    DatasetEntry{
        .path = layer_per_residue,
        .element = Element::embedding_float,
        .extent = Extent::residue,
        .row_shape = {model_width},
        .present = Present::with_per_residue,
        .content = ResultField([](SequenceResult& r, std::size_t k) -> Values { return &r.layers[k].per_residue; }),
        .help = "One vector per residue, without begin and end tokens."},
    DatasetEntry{.path = logits,
                 .element = Element::embedding_float,
                 .extent = Extent::residue,
                 .row_shape = {letters_of_model},
                 .present = Present::with_logits,
                 .content = ResultField([](SequenceResult& r, std::size_t) -> Values { return &r.logits; }),
                 .help = "One score per letter; the attribute `alphabet` names the columns."},
    DatasetEntry{.path = contact_values,
                 .element = Element::embedding_float,
                 .extent = Extent::pair,
                 .present = Present::with_contacts,
                 .content = ResultField([](SequenceResult& r, std::size_t) -> Values { return &r.contacts; }),
                 .range = {0, 1},
                 .unit = "probability",
                 .help = "Probabilities of contacts, an L x L matrix per sequence, end to end."},
    DatasetEntry{.path = contact_offsets,
                 .element = Element::int64,
                 .extent = Extent::sequence,
                 .present = Present::with_contacts,
                 .content = Offsets{Extent::pair},
                 .unit = "values",
                 .help = "The matrix of row u is [offsets[u], offsets[u + 1])."},
    DatasetEntry{.path = attention_maps,
                 .element = Element::embedding_float,
                 .extent = Extent::pair,
                 .row_shape = {heads_of_model},
                 .present = Present::with_attentions,
                 .content = Extra{},
                 .range = {0, 1},
                 .unit = "share",
                 .help = "Attention of residue i (row) to residue j (column) in each head: an L x L x H array per "
                         "sequence, end to end. Begin and end token and linkers are left out, so that a row's sum is "
                         "below 1."},
    DatasetEntry{.path = attention_offsets,
                 .element = Element::int64,
                 .extent = Extent::sequence,
                 .present = Present::with_attentions,
                 .content = Offsets{Extent::pair},
                 .unit = "values",
                 .help = "The maps of row u are [offsets[u], offsets[u + 1])."},
};

template <std::size_t... sizes>
constexpr auto joined(const std::array<DatasetEntry, sizes>&... parts) {
  std::array<DatasetEntry, (sizes + ...)> all{};
  std::size_t next = 0;
  const auto add = [&](const auto& part) {
    for (const DatasetEntry& entry : part) all[next++] = entry;
  };
  (add(parts), ...);
  return all;
}

constexpr std::array table = joined(first_rows, rows::scores, rows::structures);

}  // namespace

std::span<const DatasetEntry> dataset_table() { return table; }

}  // namespace pleat::schema
