// The manifest: what to compute, on what, with which model. See docs/manifest.md for every key.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/dtype.h"
#include "core/structure_format.h"

namespace pleat {

// tf32: float32, with products of operands that are rounded to 10 bits of mantissa, as tensor cores do them.
enum class Precision : std::uint8_t { automatic, float32, tf32, bfloat16, float16 };
enum class ResiduePolicy : std::uint8_t { convert, strict };
enum class DuplicatePolicy : std::uint8_t { share, separate };
enum class NucleotideRule : std::uint8_t { warn, reject, ignore };
// How a sequence is scored: a pass for each residue, masked, or one pass with none masked.
enum class ScoringMode : std::uint8_t { exact, one_pass };
enum class VariantMethod : std::uint8_t { masked_marginals, wildtype_marginals, pll_ratio };
enum class FailOn : std::uint8_t { any, all, none };

enum class SourceFormat : std::uint8_t { automatic, fasta, csv, tsv };

// One entry of `inputs`: what it names, and how it is to be read where that is not found by itself.
struct InputSpec {
  std::string file;  // expanded; "-", "@FILE", a pattern, a folder or a file; absolute where an option gave it
  SourceFormat format = SourceFormat::automatic;
  // Columns of a table; empty: the known ones.
  std::string id_column = {};
  std::string sequence_column = {};
  std::string description_column = {};
  char delimiter = 0;  // of a table; 0: found by itself

  bool operator==(const InputSpec&) const = default;
};

// all_vs_all: each two records; bait_vs_all: each bait with each other record.
enum class PairMode : std::uint8_t { all_vs_all, bait_vs_all };

// Complexes of two records each, in place of the records themselves.
struct PairsTask {
  bool enabled = false;
  std::string file = {};                       // a table of them; empty: by `mode`
  std::vector<std::string> columns{"a", "b"};  // of the table
  PairMode mode = PairMode::all_vs_all;
  std::vector<std::string> baits = {};  // ids, or "@FILE" with an id in each line
  bool self = false;                    // each record with itself, too
  std::string separator = "_";          // between the names of the two
};

struct EmbeddingsTask {
  bool enabled = true;
  std::vector<std::int64_t> layers{-1};  // 0 = the embedding layer; negative counts from the end
  bool per_residue = true;
  bool mean = true;
  bool bos = false;
  DType dtype = DType::float16;
};

struct StructureTask {
  bool enabled = false;
  std::int64_t num_recycles = 3;  // n + 1 passes
  double recycle_tolerance = 0;   // ångström; 0 = off
  bool pae = true;
  bool interfaces = true;
  double pae_cutoff = 10;       // ångström, of ipSAE
  bool distogram = false;       // expected distances
  bool distogram_bins = false;  // and the probability of each bin
  bool trunk_states = false;
  DType dtype = DType::float16;
  std::vector<StructureFormat> formats;  // of files written during the run, beside the output
  std::int64_t chain_linker = 25;        // glycines between chains
  std::int64_t chain_gap = 512;          // added to the residue index at each further chain
};

struct AttentionsTask {
  bool enabled = false;
  std::vector<std::int64_t> layers{-1};  // from 1; negative counts from the end
};

struct ScoringTask {
  static constexpr std::string_view no_variants = "none";
  static constexpr std::string_view all_single = "all_single";

  bool enabled = false;
  ScoringMode mode = ScoringMode::exact;
  std::string variants{no_variants};  // one of the two words, or a path
  VariantMethod method = VariantMethod::masked_marginals;

  [[nodiscard]] bool scans() const { return enabled && variants == all_single; }
  [[nodiscard]] bool has_table() const { return enabled && variants != all_single && variants != no_variants; }
};

struct Tasks {
  EmbeddingsTask embeddings;
  bool logits = false;
  bool contacts = false;
  AttentionsTask attentions;
  ScoringTask scoring;
  StructureTask structure;
};

struct RunOptions {
  std::string devices = "auto";
  Precision precision = Precision::automatic;
  std::optional<std::int64_t> max_tokens_per_batch;  // empty = auto
  std::optional<std::int64_t> chunk_size;            // empty = auto
  std::optional<std::int64_t> batch_timeout;         // seconds; empty = auto
};

struct Policy {
  ResiduePolicy residues = ResiduePolicy::convert;
  std::int64_t max_length = 0;  // 0 = no limit
  DuplicatePolicy duplicates = DuplicatePolicy::share;
  NucleotideRule nucleotides = NucleotideRule::warn;
  FailOn fail_on = FailOn::any;
};

struct Manifest {
  std::int64_t version = 1;
  // Paths have `~` and ${VAR} expanded. One from the manifest is as written otherwise, see resolve(); one from an
  // option is absolute, unless it names a model.
  std::string model;  // a registry name or a folder
  std::vector<InputSpec> inputs;
  std::string output;
  PairsTask pairs;
  Tasks tasks;
  RunOptions run;
  Policy policy;

  std::filesystem::path folder;  // paths in the manifest are relative to it
  std::string text;              // the YAML that was read, before overrides
  std::string sha256;            // of `text` and the overrides
  std::vector<std::string> overrides;

  // `path` as it is when absolute, else relative to the manifest's folder.
  [[nodiscard]] std::filesystem::path resolve(const std::string& path) const;
};

// Reads, overrides ("a.b=c", the value in YAML) and checks. Throws Error(bad_manifest) whose text starts with
// file:line:column and names the nearest known key, and Error(missing_input) when the file cannot be read.
[[nodiscard]] Manifest load_manifest(const std::filesystem::path& file, const std::vector<std::string>& overrides);

}  // namespace pleat
