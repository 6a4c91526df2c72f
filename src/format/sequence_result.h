// What a run computes of each unique sequence, and which parts of that it was asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/dtype.h"

namespace pleat {

// What the file will hold; fixed before the first result.
struct ResultLayout {
  std::vector<std::int64_t> layers;  // absolute, sorted, unique; empty = no embeddings
  bool per_residue = false;
  bool mean = false;
  bool bos = false;
  bool logits = false;
  bool contacts = false;
  std::vector<std::int64_t> attention_layers = {};  // absolute, from 1, sorted, unique
  std::int64_t heads = 0;                           // H
  bool scores = false;
  bool substitutions = false;  // scores of all single ones
  bool variants = false;       // scores of those of a table
  bool structure = false;
  bool pae = false;              // of the structures
  bool interfaces = false;       // likewise: how the chains of complexes lie to one another
  bool distances = false;        // likewise: the distogram's
  bool distance_bins = false;    // likewise: its probabilities
  bool trunk_states = false;     // likewise
  std::int64_t width = 0;        // D
  std::int64_t trunk_width = 0;  // S, of the trunk's sequence state
  std::int64_t depth = 0;        // the model's number of layers; sets the width of NN in layer_NN
  DType dtype = DType::float16;  // float16 or float32, of embeddings, logits, contacts and attentions
  // float16 or float32, of the structures' plddt, pae, distances and trunk states.
  DType structure_dtype = DType::float16;
  std::vector<std::string> alphabet;  // columns of /logits, in order
};

struct LayerResult {
  std::vector<std::byte> per_residue;  // [L, D]
  std::vector<std::byte> mean;         // [D]
  std::vector<std::byte> bos;          // [D]
};

// The atom14 layout of pleat/sequence/residues.h.
struct StructureResult {
  std::vector<float> positions;         // [L, 14, 3] ångström; 0 where there is no atom
  std::vector<std::uint8_t> atom_mask;  // [L, 14] 1 where there is an atom
  std::vector<std::byte> plddt;         // [L, 14] structure_dtype, 0 to 100; 0 where there is no atom
  float mean_plddt = 0;                 // over the atoms that exist
  float ptm = 0;
  std::int32_t recycles = 0;   // passes through the trunk, less one
  std::vector<std::byte> pae;  // [L, L] structure_dtype, ångström; empty unless the layout has pae
};

// What it took to compute a sequence when memory ran out; stored as it is in /records/memory_rung.
enum class MemoryRung : std::uint8_t { planned = 0, smaller_batch = 1, smaller_chunk = 2, lower_precision = 3 };

// Everything computed for one unique sequence; parts not asked for are empty. Elements have the layout's dtype.
struct SequenceResult {
  std::int64_t row = 0;
  std::vector<LayerResult> layers;  // parallel to ResultLayout::layers
  std::vector<std::byte> logits;    // [L, alphabet]
  std::vector<std::byte> contacts;  // [L, L]
  StructureResult structure;
  // By path: the values of datasets whose row in the table of the result file names no member, row-major.
  std::map<std::string, std::vector<std::byte>, std::less<>> extra;
  double seconds = 0;  // its share of its batch's time, by tokens
  std::int32_t attempts = 1;
  MemoryRung rung = MemoryRung::planned;
  std::string device;  // "cpu:0"
  // Set when this sequence failed: its rows hold NaN and its records say why. A code and a message without `failed`
  // are a note: the records stay ok and carry it, after notes that they have already.
  bool failed = false;
  std::string error_code;
  std::string message;
};

}  // namespace pleat
