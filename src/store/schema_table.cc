#include "store/schema_table.h"

#include <array>

#include "store/schema.h"

namespace pleat::schema {
namespace {

constexpr const char* stored_float = "float16 or float32";
constexpr const char* in_shards = "in the file of a shard";
constexpr const char* with_embeddings = "tasks.embeddings";
constexpr const char* with_contacts = "tasks.contacts";
constexpr const char* with_structure = "tasks.structure";
constexpr const char* with_pae = "tasks.structure.pae";

constexpr std::array datasets{
    DatasetEntry{record_id, "utf8", "N", "", "",
                 "The record's name: the header up to the first white space. Names may repeat."},
    DatasetEntry{record_description, "utf8", "N", "", "", "The rest of the header."},
    DatasetEntry{record_sequence, "int64", "N", "row of /sequences", "",
                 "Where the record's results are. Records with equal sequences share a row; -1 where the record was "
                 "refused, which Python takes for the last row."},
    DatasetEntry{record_status, "uint8 enum", "N", "", "",
                 "0 ok, 1 rejected (a bad record), 2 failed (could not be computed), 3 skipped."},
    DatasetEntry{record_error_code, "utf8", "N", "", "", "Why, as a word for programs."},
    DatasetEntry{
        record_message, "utf8", "N", "", "",
        "Why, as a sentence for people. A record that is ok may have a note here, such as letters that became X."},
    DatasetEntry{record_seconds, "float64", "N", "s", "",
                 "What computing its sequence took; NaN where it was never computed, 0 where it came from a cache."},
    DatasetEntry{record_attempts, "int32", "N", "", "",
                 "How often it was tried; 0 where it never was, or came from a cache."},
    DatasetEntry{record_memory_rung, "uint8 enum", "N", "", "",
                 "What it took when memory ran out: 0 nothing special, 1 a smaller batch, 2 a smaller chunk, 3 lower "
                 "precision. Results are the same but with 3."},
    DatasetEntry{record_device, "utf8", "N", "", "",
                 "Where it was computed, such as `cpu:0`; `cache` where `--cache` had it."},
    DatasetEntry{record_place, "int64", "N", "row", in_shards, "The record's row among all records of the inputs."},
    DatasetEntry{input_path, "utf8", "I", "", "", "The input file, as it was found."},
    DatasetEntry{input_bytes, "int64", "I", "bytes", "", "Its size on the disk."},
    DatasetEntry{input_sha256, "utf8", "I", "", "", "SHA-256 of those bytes; empty where it could not be read."},
    DatasetEntry{input_records, "int64", "I", "", "", "How many records came of it, refused ones too."},
    DatasetEntry{input_format, "utf8", "I", "", "", "`fasta` or `table`, and what it is compressed with."},
    DatasetEntry{input_problem, "utf8", "I", "", "",
                 "`missing`, `unknown`, `cut_off` or `damaged`; `empty`, which is no fault; or nothing."},
    DatasetEntry{input_message, "utf8", "I", "", "", "The same for people."},
    DatasetEntry{sequence_residues, "uint8", "R", "ASCII", "", "One-letter codes, end to end."},
    DatasetEntry{sequence_offsets, "int64", "U + 1", "residues", "",
                 "The residues of row u are [offsets[u], offsets[u + 1])."},
    DatasetEntry{sequence_chain, "uint16", "R", "", "",
                 "Number of the chain within its sequence, from 0; above 0 only for inputs written as A:B."},
    DatasetEntry{sequence_place, "int64", "U", "row", in_shards, "The row among all unique sequences of the inputs."},
    DatasetEntry{"/embeddings/layer_NN/mean", stored_float, "U, D", "", with_embeddings, "Mean over the residues."},
    DatasetEntry{"/embeddings/layer_NN/bos", stored_float, "U, D", "", with_embeddings,
                 "The vector of the begin token."},
    DatasetEntry{"/embeddings/layer_NN/per_residue", stored_float, "R, D", "", with_embeddings,
                 "One vector per residue, without begin and end tokens."},
    DatasetEntry{logits, stored_float, "R, A", "", "tasks.logits",
                 "One score per letter; the attribute `alphabet` names the columns."},
    DatasetEntry{contact_values, stored_float, "sum of L * L", "probability", with_contacts,
                 "Probabilities of contacts, an L x L matrix per sequence, end to end."},
    DatasetEntry{contact_offsets, "int64", "U + 1", "values", with_contacts,
                 "The matrix of row u is [offsets[u], offsets[u + 1])."},
    DatasetEntry{positions, "float32", "R, 14, 3", angstrom, with_structure,
                 "Where the atoms are: x, y, z. 0 where a slot has no atom."},
    DatasetEntry{atom_mask, "uint8", "R, 14", "", with_structure, "1 where there is an atom. X has none."},
    DatasetEntry{atom14_names, "utf8 of 4 bytes", "21, 14", "", with_structure,
                 "Which atom lies in each slot, by kind of residue; empty where none does. The attribute `residues` "
                 "names the rows."},
    DatasetEntry{plddt, stored_float, "R, 14", "0 to 100", with_structure,
                 "Confidence of each atom, pLDDT; 0 where there is no atom."},
    DatasetEntry{mean_plddt, "float32", "U", "0 to 100", with_structure, "Mean pLDDT over the atoms."},
    DatasetEntry{ptm, "float32", "U", "0 to 1", with_structure, "Predicted TM-score, over linkers between chains too."},
    DatasetEntry{recycles, "int32", "U", "", with_structure,
                 "How often the trunk's result was fed back; -1 where never computed."},
    DatasetEntry{pae, stored_float, "sum of L * L", angstrom, with_pae,
                 "Predicted aligned error, an L x L matrix per sequence, end to end: the error expected at residue j "
                 "(column) with residue i (row) aligned."},
    DatasetEntry{pae_offsets, "int64", "U + 1", "values", with_pae,
                 "The matrix of row u is [pae_offsets[u], pae_offsets[u + 1])."},
    DatasetEntry{structure_chain, "uint16", "R", "", with_structure, "As /sequences/chain."},
    DatasetEntry{residue_number, "int32", "R", "", with_structure, "Number of the residue, from 1 in each chain."},
};

constexpr std::array attributes{
    AttributeEntry{"/", attr_format, "utf8", "", "", "`pleat-results`."},
    AttributeEntry{"/", attr_schema_version, "int32", "", "", "The version of this format, 1."},
    AttributeEntry{"/", attr_complete, "uint8", "", "", "1. A file under its final name is always whole."},
    AttributeEntry{"/", attr_pleat_version, "utf8", "", "", "The version of pleat that computed it."},
    AttributeEntry{"/", attr_source_revision, "utf8", "", "", "The commit that this pleat was built from."},
    AttributeEntry{"/", attr_created_utc, "utf8", "", "", "When the run began, as 2026-01-31T12:00:00Z."},
    AttributeEntry{"/", attr_manifest_yaml, "utf8", "", "", "The manifest's text."},
    AttributeEntry{"/", attr_manifest_overrides, "utf8", "", "", "What options changed in it, one `key=value` a line."},
    AttributeEntry{"/", attr_manifest_sha256, "utf8", "", "", "SHA-256 of both, in hexadecimal digits."},
    AttributeEntry{"/", attr_inputs_sha256, "utf8", "", "", "SHA-256 of every record of the inputs, also in a shard."},
    AttributeEntry{"/", attr_model_name, "utf8", "", "", "The model, as the manifest names it."},
    AttributeEntry{"/", attr_model_sha256, "utf8", "", "", "SHA-256 of its weights and configuration."},
    AttributeEntry{"/", attr_precision, "utf8", "", "", "The arithmetic: `float32`, `tf32`, `bfloat16` or `float16`."},
    AttributeEntry{"/", attr_devices, "utf8", "", "", "What computed it."},
    AttributeEntry{"/", attr_untrained, "utf8", "", "where the weights are untrained",
                   "A sentence that says so: the numbers then say nothing about proteins."},
    AttributeEntry{"/", attr_shard_index, "int64", "", in_shards, "Which shard it is, from 1."},
    AttributeEntry{"/", attr_shard_count, "int64", "", in_shards, "How many shards there are."},
    AttributeEntry{"/", attr_total_records, "int64", "", in_shards, "Records of the inputs, in all shards."},
    AttributeEntry{"/", attr_total_sequences, "int64", "", in_shards, "Unique sequences, in all shards."},
    AttributeEntry{"/", attr_missing_shards, "int64", "missing", "where `pleat merge` lacked shards",
                   "The numbers of the shards whose records are not there."},
    AttributeEntry{
        "strings", attr_text_sha256, "utf8", "", "",
        "SHA-256 of the column's texts in order, each with a zero byte behind it, since HDF5 has no checksum "
        "for strings of varying length."},
    AttributeEntry{logits, attr_alphabet, "utf8", "A", "tasks.logits", "The letter of each column."},
    AttributeEntry{positions, attr_units, "utf8", "", with_structure, "`ångström`."},
    AttributeEntry{pae, attr_units, "utf8", "", with_pae, "`ångström`."},
    AttributeEntry{atom14_names, attr_residues, "utf8", "", with_structure,
                   "The rows as one-letter codes: `ARNDCQEGHILKMFPSTWYVX`."},
};

constexpr std::array letters{
    ShapeLetter{"N", "input records"},
    ShapeLetter{"I", "input files"},
    ShapeLetter{"U", "unique sequences"},
    ShapeLetter{"R", "residues of the unique sequences, all together"},
    ShapeLetter{"L", "residues of one sequence"},
    ShapeLetter{"D", "the model's width"},
    ShapeLetter{"A", "letters of the model's alphabet"},
};

}  // namespace

std::span<const DatasetEntry> dataset_table() { return datasets; }
std::span<const AttributeEntry> attribute_table() { return attributes; }
std::span<const ShapeLetter> shape_letters() { return letters; }

}  // namespace pleat::schema
