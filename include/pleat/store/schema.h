// The result file, whole: every path, attribute, word and number that readers rely on. See docs/results.md for what
// each part means. U = unique sequences, N = input records, R = residues of the unique sequences, D = model width.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "pleat/sequence/dataset.h"

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
inline constexpr const char* attr_untrained = "untrained_weights";  // a sentence; only where the weights are untrained

// One row per input record, in the order of the inputs.
inline constexpr const char* records_group = "/records";
inline constexpr const char* record_id = "/records/id";                    // utf8 [N]
inline constexpr const char* record_description = "/records/description";  // utf8 [N]
inline constexpr const char* record_sequence = "/records/sequence";        // int64 [N], -1 where refused
inline constexpr const char* record_status = "/records/status";            // uint8 enum [N]
inline constexpr const char* record_error_code = "/records/error_code";    // utf8 [N]
inline constexpr const char* record_message = "/records/message";          // utf8 [N]
inline constexpr const char* record_seconds = "/records/seconds";          // float64 [N], NaN where never computed
inline constexpr const char* record_attempts = "/records/attempts";        // int32 [N]
inline constexpr const char* record_device = "/records/device";            // utf8 [N]

// The unique sequences end to end.
inline constexpr const char* sequences_group = "/sequences";
inline constexpr const char* sequence_residues = "/sequences/residues";  // uint8 [R]
inline constexpr const char* sequence_offsets = "/sequences/offsets";    // int64 [U+1]
inline constexpr const char* sequence_chain = "/sequences/chain";        // uint16 [R]

// What was computed, in the order of the sequences.
inline constexpr const char* embeddings_group = "/embeddings";
inline constexpr const char* mean_name = "mean";                // dtype [U, D]
inline constexpr const char* bos_name = "bos";                  // dtype [U, D]
inline constexpr const char* per_residue_name = "per_residue";  // dtype [R, D]
inline constexpr const char* logits = "/logits";                // dtype [R, alphabet]
inline constexpr const char* attr_alphabet = "alphabet";        // of /logits: utf8 [alphabet]
inline constexpr const char* contacts_group = "/contacts";
inline constexpr const char* contact_values = "/contacts/values";    // dtype [sum of L * L]
inline constexpr const char* contact_offsets = "/contacts/offsets";  // int64 [U+1]

// Words of the enum of /records/status.
struct StatusWord {
  RecordStatus status;
  const char* word;
};
inline constexpr std::array<StatusWord, 4> status_words{{{RecordStatus::ok, "ok"},
                                                         {RecordStatus::rejected, "rejected"},
                                                         {RecordStatus::failed, "failed"},
                                                         {RecordStatus::skipped, "skipped"}}};

// The error_code of records whose sequence nobody computed.
inline constexpr const char* error_not_computed = "not_computed";

// Raw bytes of a chunk: large enough to compress well, small enough that one protein does not drag in many others.
inline constexpr std::int64_t chunk_bytes = std::int64_t{512} * 1024;
inline constexpr std::int64_t string_chunk_rows = 16384;
inline constexpr int deflate_level = 4;

// "layer_06": two digits, or as many as the model's depth needs, so that names sort in the order of the layers.
[[nodiscard]] inline std::string layer_name(std::int64_t layer, std::int64_t depth) {
  std::string number = std::to_string(layer);
  const std::size_t width = std::max<std::size_t>(2, std::to_string(depth).size());
  if (number.size() < width) number.insert(0, width - number.size(), '0');
  return "layer_" + number;
}

}  // namespace pleat::schema
