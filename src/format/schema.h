// The names of the result file: every path, attribute and word that readers rely on. The tables in dataset_table.cc and
// attribute_table.cc say what each of them is.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sequence/dataset.h"

namespace pleat::schema {

inline constexpr const char* format_name = "pleat-results";
// Raised when an older reader would misread the file; new datasets alone do not raise it.
inline constexpr std::int32_t version = 1;

// Attributes of "/": utf8 strings unless said otherwise.
inline constexpr const char* attr_format = "format";
inline constexpr const char* attr_schema_version = "schema_version";  // int32
inline constexpr const char* attr_complete = "complete";              // uint8, 1
inline constexpr const char* attr_pleat_version = "pleat_version";
inline constexpr const char* attr_created_utc = "created_utc";  // ISO 8601
inline constexpr const char* attr_manifest_yaml = "manifest_yaml";
inline constexpr const char* attr_manifest_overrides = "manifest_overrides";
inline constexpr const char* attr_manifest_sha256 = "manifest_sha256";
inline constexpr const char* attr_model_name = "model_name";
inline constexpr const char* attr_model_sha256 = "model_sha256";
inline constexpr const char* attr_precision = "precision";
inline constexpr const char* attr_devices = "devices";
inline constexpr const char* attr_source_revision = "source_revision";
inline constexpr const char* attr_inputs_sha256 = "inputs_sha256";  // of all records of the inputs, also in a shard
// Of a shard only, the numbers as int64:
inline constexpr const char* attr_shard_index = "shard_index";  // from 1
inline constexpr const char* attr_shard_count = "shard_count";
inline constexpr const char* attr_total_records = "total_records";      // in all shards
inline constexpr const char* attr_total_sequences = "total_sequences";  // unique ones, in all shards
// Of a merged file that lacks shards: int64 [missing].
inline constexpr const char* attr_missing_shards = "missing_shards";
inline constexpr const char* attr_untrained = "untrained_weights";  // a sentence; only where the weights are untrained
inline constexpr const char* untrained_sentence =
    "The weights of this model are pseudo-random, not trained: the numbers in this file carry no biological meaning. "
    "'pleat model fetch NAME' gets trained weights, such as NAME = esm2_t6_8M_UR50D.";

// One row per input record, in the order of the inputs.
inline constexpr const char* records_group = "/records";
inline constexpr const char* record_id = "/records/id";
inline constexpr const char* record_description = "/records/description";
inline constexpr const char* record_sequence = "/records/sequence";
inline constexpr const char* record_status = "/records/status";
inline constexpr const char* record_error_code = "/records/error_code";
inline constexpr const char* record_message = "/records/message";
inline constexpr const char* record_seconds = "/records/seconds";
inline constexpr const char* record_attempts = "/records/attempts";
inline constexpr const char* record_memory_rung = "/records/memory_rung";
inline constexpr const char* record_place = "/records/place";
inline constexpr const char* record_device = "/records/device";
inline constexpr const char* record_part_a = "/records/part_a";
inline constexpr const char* record_part_b = "/records/part_b";

// Of each column of strings: SHA-256 of its texts, each with a zero behind it. HDF5 has no checksum for them.
inline constexpr const char* attr_text_sha256 = "sha256";

// One row per input file, the same in every shard; absent in files of older versions.
inline constexpr const char* input_path = "/inputs/path";
inline constexpr const char* input_bytes = "/inputs/bytes";
inline constexpr const char* input_sha256 = "/inputs/sha256";
inline constexpr const char* input_records = "/inputs/records";
inline constexpr const char* input_format = "/inputs/format";
inline constexpr const char* input_problem = "/inputs/problem";
inline constexpr const char* input_message = "/inputs/message";

// The unique sequences end to end.
inline constexpr const char* sequence_residues = "/sequences/residues";
inline constexpr const char* sequence_offsets = "/sequences/offsets";
inline constexpr const char* sequence_place = "/sequences/place";
inline constexpr const char* sequence_chain = "/sequences/chain";

// What was computed, in the order of the sequences.
inline constexpr const char* layer_mean = "/embeddings/layer_NN/mean";  // NN: see path_in_layer()
inline constexpr const char* layer_bos = "/embeddings/layer_NN/bos";
inline constexpr const char* layer_per_residue = "/embeddings/layer_NN/per_residue";
inline constexpr const char* per_residue_name = "per_residue";
inline constexpr const char* logits = "/logits";
inline constexpr const char* attr_alphabet = "alphabet";  // of /logits: utf8 [alphabet]
inline constexpr const char* contact_values = "/contacts/values";
inline constexpr const char* contact_offsets = "/contacts/offsets";
inline constexpr const char* attention_maps = "/attentions/layer_NN";  // NN: from 1
inline constexpr const char* attention_offsets = "/attentions/offsets";

// Scores from the language model. Variants of a table lie by sequence; the table itself is there as it was read.
inline constexpr const char* pseudo_perplexity = "/scores/pseudo_perplexity";
inline constexpr const char* log_probability = "/scores/log_probability";
inline constexpr const char* substitution_scores = "/scores/substitutions";
inline constexpr const char* variant_score = "/scores/variants/score";
inline constexpr const char* variant_row = "/scores/variants/row";
inline constexpr const char* variant_offsets = "/scores/variants/offsets";
inline constexpr const char* variant_table_id = "/scores/table/id";
inline constexpr const char* variant_table_text = "/scores/table/variant";
inline constexpr const char* variant_table_code = "/scores/table/error_code";
inline constexpr const char* variant_table_message = "/scores/table/message";

// Atoms lie in the 14 slots of AlphaFold's compact layout; /structures/atom14_names says which atom each slot of each
// residue holds. Where there is no atom, positions and plddt are 0.
inline constexpr const char* positions = "/structures/positions";
inline constexpr const char* atom_mask = "/structures/atom_mask";
inline constexpr const char* plddt = "/structures/plddt";
inline constexpr const char* mean_plddt = "/structures/mean_plddt";
inline constexpr const char* ptm = "/structures/ptm";
inline constexpr const char* recycles = "/structures/recycles";
inline constexpr const char* pae = "/structures/pae";
inline constexpr const char* pae_offsets = "/structures/pae_offsets";
inline constexpr const char* distance_mean = "/structures/distogram/mean";
inline constexpr const char* distance_spread = "/structures/distogram/spread";
inline constexpr const char* distance_bins = "/structures/distogram/probabilities";
inline constexpr const char* distance_offsets = "/structures/distogram/offsets";
inline constexpr const char* trunk_states = "/structures/trunk_states";
inline constexpr const char* iptm = "/structures/iptm";
inline constexpr const char* ptm_residues = "/structures/ptm_residues";
inline constexpr const char* chain_offsets = "/structures/chains/offsets";
inline constexpr const char* chain_ptm = "/structures/chains/ptm";
inline constexpr const char* chain_mean_plddt = "/structures/chains/mean_plddt";
inline constexpr const char* chain_length = "/structures/chains/length";
inline constexpr const char* chain_pair_offsets = "/structures/chain_pairs/offsets";
inline constexpr const char* pair_iptm = "/structures/chain_pairs/iptm";
inline constexpr const char* ipsae = "/structures/chain_pairs/ipsae";
inline constexpr const char* ipsae_d0chn = "/structures/chain_pairs/ipsae_d0chn";
inline constexpr const char* min_pae = "/structures/chain_pairs/min_pae";
inline constexpr const char* interface_contacts = "/structures/chain_pairs/contacts";
inline constexpr const char* structure_chain = "/structures/chain";
inline constexpr const char* residue_number = "/structures/residue_number";
inline constexpr const char* atom14_names = "/structures/atom14_names";
inline constexpr const char* attr_residues = "residues";  // of atom14_names: its rows as one-letter codes, one string
inline constexpr const char* attr_units = "units";        // of positions and pae: utf8
inline constexpr const char* angstrom = "ångström";

// Words of the enum of /records/memory_rung: what it took to compute the record when memory ran out.
inline constexpr std::array<const char*, 4> memory_rung_words{"planned", "smaller_batch", "smaller_chunk",
                                                              "lower_precision"};

// Words of the enum of /records/status.
struct StatusWord {
  RecordStatus status;
  const char* word;
};
inline constexpr std::array<StatusWord, 4> status_words{{{RecordStatus::ok, "ok"},
                                                         {RecordStatus::rejected, "rejected"},
                                                         {RecordStatus::failed, "failed"},
                                                         {RecordStatus::skipped, "skipped"}}};

// Raw bytes of a chunk: large enough to compress well, small enough that one protein does not drag in many others.
inline constexpr std::int64_t chunk_bytes = std::int64_t{512} * 1024;
inline constexpr std::int64_t string_chunk_rows = 16384;
inline constexpr int deflate_level = 4;

// "/embeddings/layer_06/mean" of "/embeddings/layer_NN/mean": two digits, or as many as the model's depth needs, so
// that names sort in the order of the layers.
[[nodiscard]] inline std::string path_in_layer(std::string_view path, std::int64_t layer, std::int64_t depth) {
  std::string number = std::to_string(layer);
  const std::size_t width = std::max<std::size_t>(2, std::to_string(depth).size());
  if (number.size() < width) number.insert(0, width - number.size(), '0');
  std::string whole(path);
  return whole.replace(whole.find("NN"), 2, number);
}

}  // namespace pleat::schema
