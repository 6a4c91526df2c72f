#include "manifest/keys.h"

#include <algorithm>
#include <array>

namespace pleat {
namespace {

constexpr std::array table{
    Key{.path = "version",
        .field = [](Manifest& m) -> Field { return &m.version; },
        .help = "The version of this format.",
        .required = true,
        .lowest = 1,
        .highest = 1,
        .example = "1",
        .hint = "this pleat reads manifests of version 1 only; a newer manifest needs a newer pleat"},
    Key{.path = "model",
        .field = [](Manifest& m) -> Field { return &m.model; },
        .help = "A name that `pleat model list` shows, or a folder that holds config.json and the weights.",
        .required = true,
        .is_path = true,
        .example = "esm2_t6_8M_UR50D"},
    Key{.path = "inputs",
        .field = [](Manifest& m) -> Field { return &m.inputs; },
        .help =
            "FASTA files and tables with a header row, plain or compressed: each a file, a folder, a pattern such as "
            "`data/*.faa`, `@FILE` with a name in each line, `-` for standard input, or a map; see below.",
        .required = true,
        .is_path = true,
        .example = "[proteins.fasta, more.csv]"},
    Key{.path = "output",
        .field = [](Manifest& m) -> Field { return &m.output; },
        .help = "The HDF5 file to write.",
        .required = true,
        .is_path = true,
        .example = "results.h5"},

    Key{.path = "pairs",
        .field = [](Manifest& m) -> Field { return &m.pairs.enabled; },
        .help =
            "Compute complexes of two records of `inputs` each, as if A:B had been written, in place of the records "
            "themselves. Off unless asked for; see Pairs.",
        .section = true},
    Key{.path = "pairs.file",
        .field = [](Manifest& m) -> Field { return &m.pairs.file; },
        .help = "A table of the pairs; without it, `mode` says which there are.",
        .is_path = true,
        .no_default = true,
        .hint = "give the name of a table with the columns a and b, such as pairs.tsv"},
    Key{.path = "pairs.columns",
        .field = [](Manifest& m) -> Field { return &m.pairs.columns; },
        .help = "The columns of the table that name A and B.",
        .hint = "name two columns, as in columns: [bait, prey]"},
    Key{.path = "pairs.mode",
        .field = [](Manifest& m) -> Field { return &m.pairs.mode; },
        .help = "`all_vs_all` pairs each two records once; `bait_vs_all` pairs each of the `baits` with every other "
                "record, and two baits once."},
    Key{.path = "pairs.baits",
        .field = [](Manifest& m) -> Field { return &m.pairs.baits; },
        .help = "Ids of records of `inputs`, or `@FILE` with an id in each line. Only with `bait_vs_all`.",
        .is_path = true,
        .no_default = true,
        .hint = "give ids of records, as in baits: [P1, P2], or \"@baits.txt\""},
    Key{.path = "pairs.self",
        .field = [](Manifest& m) -> Field { return &m.pairs.self; },
        .help = "Also pair each record, or each bait, with itself. Not beside a table, where a row says so."},
    Key{.path = "pairs.separator",
        .field = [](Manifest& m) -> Field { return &m.pairs.separator; },
        .help = "What stands between the ids of A and B in the id of the complex."},

    Key{.path = "tasks",
        .field = [](Manifest&) -> Field { return std::monostate{}; },
        .help = "What to compute. Without it, embeddings.",
        .section = true},
    Key{.path = "tasks.embeddings",
        .field = [](Manifest& m) -> Field { return &m.tasks.embeddings.enabled; },
        .help = "Hidden states of the language model. On when no task is asked for; off when another task is asked "
                "for and this key is not there.",
        .section = true},
    Key{.path = "tasks.embeddings.layers",
        .field = [](Manifest& m) -> Field { return &m.tasks.embeddings.layers; },
        .help = "Which layers: 0 is the embedding layer, the model's depth is the last; negative numbers count from "
                "the end, so that -1 is the last."},
    Key{.path = "tasks.embeddings.per_residue",
        .field = [](Manifest& m) -> Field { return &m.tasks.embeddings.per_residue; },
        .help = "Store one vector per residue."},
    Key{.path = "tasks.embeddings.mean",
        .field = [](Manifest& m) -> Field { return &m.tasks.embeddings.mean; },
        .help = "Store the mean over the residues."},
    Key{.path = "tasks.embeddings.bos",
        .field = [](Manifest& m) -> Field { return &m.tasks.embeddings.bos; },
        .help = "Store the vector of the begin token."},
    Key{.path = "tasks.embeddings.dtype",
        .field = [](Manifest& m) -> Field { return &m.tasks.embeddings.dtype; },
        .help = "The type of the stored embeddings, and of logits, contacts and attention maps."},
    Key{.path = "tasks.logits",
        .field = [](Manifest& m) -> Field { return &m.tasks.logits; },
        .help = "Store the language model's logits of every letter at every residue."},
    Key{.path = "tasks.contacts",
        .field = [](Manifest& m) -> Field { return &m.tasks.contacts; },
        .help = "Store the predicted probability of a contact for every pair of residues."},
    Key{.path = "tasks.attentions",
        .field = [](Manifest& m) -> Field { return &m.tasks.attentions.enabled; },
        .help = "Store the attention maps of chosen layers of the language model, one for each head. They are large: "
                "every pair of residues has a number for each head of each layer. Off unless asked for.",
        .section = true},
    Key{.path = "tasks.attentions.layers",
        .field = [](Manifest& m) -> Field { return &m.tasks.attentions.layers; },
        .help = "Which layers: 1 is the first, the model's depth is the last; negative numbers count from the end, so "
                "that -1 is the last."},
    Key{.path = "tasks.scoring",
        .field = [](Manifest& m) -> Field { return &m.tasks.scoring.enabled; },
        .help = "Store how probable the language model finds each sequence: its pseudo-perplexity and the "
                "log-probability of each residue; and scores of `variants`. Off unless asked for.",
        .section = true},
    Key{.path = "tasks.scoring.mode",
        .field = [](Manifest& m) -> Field { return &m.tasks.scoring.mode; },
        .help = "`exact` masks each residue in turn, so that a sequence takes as many passes as it has residues. "
                "`one_pass` takes the log-probabilities from a single pass with nothing masked: an approximation, "
                "since the model sees each residue that it is asked about."},
    Key{.path = "tasks.scoring.variants",
        .field = [](Manifest& m) -> Field { return &m.tasks.scoring.variants; },
        .help = "Variants to score: `none`; `all_single`, every substitution of every residue; or the name of a table "
                "with the columns `id`, of a record, and `variants`, such as `A12V` or `A12V:K20R`.",
        .is_path = true},
    Key{.path = "tasks.scoring.method",
        .field = [](Manifest& m) -> Field { return &m.tasks.scoring.method; },
        .help = "How variants are scored. `masked_marginals`: the log-probability of the new residue less that of the "
                "old one, with the residue masked. `wildtype_marginals`: the same from one pass with nothing masked. "
                "`pll_ratio`: the sum of the log-probabilities of all residues of the variant, each masked in turn, "
                "less that of the sequence; a variant takes as many passes as it has residues."},
    Key{.path = "tasks.structure",
        .field = [](Manifest& m) -> Field { return &m.tasks.structure.enabled; },
        .help = "Fold the sequences. Only with a folding model; off unless asked for.",
        .section = true},
    Key{.path = "tasks.structure.num_recycles",
        .field = [](Manifest& m) -> Field { return &m.tasks.structure.num_recycles; },
        .help = "How often the result is fed back in; n gives n + 1 passes.",
        .lowest = 0,
        .highest = 100},
    Key{.path = "tasks.structure.recycle_tolerance",
        .field = [](Manifest& m) -> Field { return &m.tasks.structure.recycle_tolerance; },
        .help = "Stop feeding back once the distances between residues change by less than this many ångström, as a "
                "root mean square, from one pass to the next; 0 never stops early. The file says how many recycles "
                "each sequence took.",
        .lowest = 0},
    Key{.path = "tasks.structure.pae",
        .field = [](Manifest& m) -> Field { return &m.tasks.structure.pae; },
        .help = "Store the predicted aligned error of every pair of residues."},
    Key{.path = "tasks.structure.interfaces",
        .field = [](Manifest& m) -> Field { return &m.tasks.structure.interfaces; },
        .help = "Store how sure the model is of the interfaces of complexes: ipTM, pTM of each chain, and ipTM, ipSAE, "
                "least PAE and contacts of each two chains. Single chains cost nothing more."},
    Key{.path = "tasks.structure.pae_cutoff",
        .field = [](Manifest& m) -> Field { return &m.tasks.structure.pae_cutoff; },
        .help = "Pairs of residues count for ipSAE where their predicted aligned error is below this many ångström.",
        .lowest = 0},
    Key{.path = "tasks.structure.distogram",
        .field = [](Manifest& m) -> Field { return &m.tasks.structure.distogram; },
        .help = "Store the expected distance of each two residues (C-beta), and its spread. Off unless asked for.",
        .section = true},
    Key{.path = "tasks.structure.distogram.bins",
        .field = [](Manifest& m) -> Field { return &m.tasks.structure.distogram_bins; },
        .help = "Store the probability of each of the 64 bins too: 128 bytes for each pair of residues in float16."},
    Key{.path = "tasks.structure.trunk_states",
        .field = [](Manifest& m) -> Field { return &m.tasks.structure.trunk_states; },
        .help = "Store the trunk's state of each residue after the last pass: 1,024 numbers for esmfold_v1."},
    Key{.path = "tasks.structure.dtype",
        .field = [](Manifest& m) -> Field { return &m.tasks.structure.dtype; },
        .help = "The type of the stored confidences, distances and trunk states; positions are always float32."},
    Key{.path = "tasks.structure.formats",
        .field = [](Manifest& m) -> Field { return &m.tasks.structure.formats; },
        .help = "Also write a file for each record in these formats, into a folder beside the output that is named "
                "after it: results.structures for results.h5. `pleat export` writes them later, from the output."},
    Key{.path = "tasks.structure.chain_linker",
        .field = [](Manifest& m) -> Field { return &m.tasks.structure.chain_linker; },
        .help = "Chains of a sequence written A:B are folded with this many glycines between them, which appear in no "
                "result.",
        .lowest = 0,
        .highest = 1000},
    Key{.path = "tasks.structure.chain_gap",
        .field = [](Manifest& m) -> Field { return &m.tasks.structure.chain_gap; },
        .help = "How far the residue index jumps from one chain to the next, so that the model takes them for apart.",
        .lowest = 0,
        .highest = 1000000},

    Key{.path = "run",
        .field = [](Manifest&) -> Field { return std::monostate{}; },
        .help = "How to compute it. None of these keys changes what is asked for.",
        .section = true},
    Key{.path = "run.devices",
        .field = [](Manifest& m) -> Field { return &m.run.devices; },
        .help = "Where to compute: `auto`, `cpu`, `cpu*4` (four workers that share the cores), `cuda`, `cuda:0,2`, "
                "and `cuda*2` or `cuda:0*2` for two workers on each GPU. "
                "Inside braces put it in quotes, "
                "since YAML ends a value there at a comma.",
        .hint = "give one text, such as \"cuda:0,2\", in quotes where it stands inside braces"},
    Key{.path = "run.precision",
        .field = [](Manifest& m) -> Field { return &m.run.precision; },
        .help =
            "The arithmetic of the model. `auto` is bf16 where every GPU of the run is of compute capability 8.0 or "
            "newer, else fp32, as on a processor. fp16 and tf32, which is float32 with TF32 products, are for GPUs "
            "only."},
    Key{.path = "run.max_tokens_per_batch",
        .field = [](Manifest& m) -> Field { return &m.run.max_tokens_per_batch; },
        .help = "How many tokens (residues, and two more per sequence) are computed together. `auto` is chosen for "
                "the device and its memory.",
        .lowest = 8,
        .highest = 1048576},
    Key{.path = "run.chunk_size",
        .field = [](Manifest& m) -> Field { return &m.run.chunk_size; },
        .help = "Channels of the pair representation that a triangular multiplication holds at once; smaller needs "
                "less memory. `auto` is the most that fits. Results do not depend on it.",
        .lowest = 1,
        .highest = 4096},
    Key{.path = "run.batch_timeout",
        .field = [](Manifest& m) -> Field { return &m.run.batch_timeout; },
        .help = "After this many seconds at one batch a device counts as hanging and is given up. `auto` is, for a "
                "GPU, ten minutes and fifty times what the batch would take at the slowest pace seen in the run; a "
                "processor is never given up.",
        .lowest = 1,
        .highest = 1000000},

    Key{.path = "policy",
        .field = [](Manifest&) -> Field { return std::monostate{}; },
        .help = "What to do with sequences that are unusual.",
        .section = true},
    Key{.path = "policy.residues",
        .field = [](Manifest& m) -> Field { return &m.policy.residues; },
        .help = "`convert` makes letters upper case, drops one final `*`, and turns letters that the model does not "
                "know into X, and leaves out white space and line numbers, with a warning on the record; `strict` "
                "rejects such a record. Gaps, digits and other characters always reject it."},
    Key{.path = "policy.max_length",
        .field = [](Manifest& m) -> Field { return &m.policy.max_length; },
        .help = "Sequences with more residues are rejected; 0 is no limit.",
        .lowest = 0},
    Key{.path = "policy.duplicates",
        .field = [](Manifest& m) -> Field { return &m.policy.duplicates; },
        .help = "`share` computes equal sequences once and stores them once; `separate` keeps each."},
    Key{.path = "policy.nucleotides",
        .field = [](Manifest& m) -> Field { return &m.policy.nucleotides; },
        .help = "Sequences that look like DNA or RNA (ten letters or more, 95 % of them A, C, G, T, U or N, three of "
                "the four bases among them) are computed as proteins with a warning on the record, rejected, or taken "
                "as they are."},
    Key{.path = "policy.fail_on",
        .field = [](Manifest& m) -> Field { return &m.policy.fail_on; },
        .help = "When bad records make the exit status 65: `any` that was rejected or failed, only where `all` were, "
                "or `none`, which is never. Bad inputs and refused variants count like bad records."},
};

// "a whole number", or another `kind`, with what is said of its range.
std::string number_text(const Key& key, const std::string& kind) {
  const bool has_lowest = key.lowest != std::numeric_limits<std::int64_t>::min();
  const bool has_highest = key.highest != std::numeric_limits<std::int64_t>::max();
  if (key.lowest == key.highest) return std::to_string(key.lowest);
  if (has_lowest && has_highest) {
    return kind + " from " + std::to_string(key.lowest) + " to " + std::to_string(key.highest);
  }
  if (has_lowest) return kind + " of at least " + std::to_string(key.lowest);
  return kind;
}

// "one of pdb, cif".
template <typename Enum>
std::string choice_text(Enum) {
  std::string text;
  for (const auto& choice : choices_of(Enum{})) text += (text.empty() ? "one of " : ", ") + std::string(choice.word);
  return text;
}

struct TypeText {
  static constexpr const char* whole = "a whole number";
  const Key& key;

  std::string operator()(std::monostate) const { return "a map"; }
  std::string operator()(const bool*) const { return key.section ? "a map, true or false" : "true or false"; }
  std::string operator()(const std::int64_t*) const { return number_text(key, whole); }
  std::string operator()(const double*) const { return number_text(key, "a number"); }
  std::string operator()(const std::optional<std::int64_t>*) const { return "auto or " + number_text(key, whole); }
  std::string operator()(const std::string*) const { return "text"; }
  std::string operator()(const std::vector<std::int64_t>*) const { return "a whole number or a list of them"; }
  std::string operator()(const std::vector<std::string>*) const { return "a text or a list of them"; }
  std::string operator()(const std::vector<InputSpec>*) const { return "a text, a map, or a list of them"; }
  std::string operator()(const std::vector<StructureFormat>*) const {
    return choice_text(StructureFormat{}) + ", or a list of them";
  }
  template <typename Enum>
  std::string operator()(const Enum*) const {
    return choice_text(Enum{});
  }
};

}  // namespace

std::span<const Key> manifest_keys() { return table; }

const Key* find_key(std::string_view path) {
  const auto* const found = std::ranges::find(table, path, &Key::path);
  return found == table.end() ? nullptr : found;
}

std::vector<const Key*> keys_below(std::string_view section) {
  std::vector<const Key*> keys;
  for (const Key& key : table) {
    if (parent_of(key.path) == section) keys.push_back(&key);
  }
  return keys;
}

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('.') + 1); }

std::string_view parent_of(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
}

std::span<const Choice<DType>> choices_of(DType) {
  static constexpr std::array<Choice<DType>, 2> choices{{{"float16", DType::float16}, {"float32", DType::float32}}};
  return choices;
}

std::span<const Choice<Precision>> choices_of(Precision) {
  static constexpr std::array<Choice<Precision>, 8> choices{{{"auto", Precision::automatic},
                                                             {"fp32", Precision::float32},
                                                             {"tf32", Precision::tf32},
                                                             {"bf16", Precision::bfloat16},
                                                             {"fp16", Precision::float16},
                                                             {"float32", Precision::float32},
                                                             {"bfloat16", Precision::bfloat16},
                                                             {"float16", Precision::float16}}};
  return choices;
}

std::span<const Choice<ResiduePolicy>> choices_of(ResiduePolicy) {
  static constexpr std::array<Choice<ResiduePolicy>, 2> choices{
      {{"convert", ResiduePolicy::convert}, {"strict", ResiduePolicy::strict}}};
  return choices;
}

std::span<const Choice<DuplicatePolicy>> choices_of(DuplicatePolicy) {
  static constexpr std::array<Choice<DuplicatePolicy>, 2> choices{
      {{"share", DuplicatePolicy::share}, {"separate", DuplicatePolicy::separate}}};
  return choices;
}

std::span<const Choice<FailOn>> choices_of(FailOn) {
  static constexpr std::array<Choice<FailOn>, 3> choices{
      {{"any", FailOn::any}, {"all", FailOn::all}, {"none", FailOn::none}}};
  return choices;
}

std::span<const Choice<NucleotideRule>> choices_of(NucleotideRule) {
  static constexpr std::array<Choice<NucleotideRule>, 3> choices{
      {{"warn", NucleotideRule::warn}, {"reject", NucleotideRule::reject}, {"ignore", NucleotideRule::ignore}}};
  return choices;
}

std::span<const Choice<ScoringMode>> choices_of(ScoringMode) {
  static constexpr std::array<Choice<ScoringMode>, 2> choices{
      {{"exact", ScoringMode::exact}, {"one_pass", ScoringMode::one_pass}}};
  return choices;
}

std::span<const Choice<VariantMethod>> choices_of(VariantMethod) {
  static constexpr std::array<Choice<VariantMethod>, 3> choices{
      {{"masked_marginals", VariantMethod::masked_marginals},
       {"wildtype_marginals", VariantMethod::wildtype_marginals},
       {"pll_ratio", VariantMethod::pll_ratio}}};
  return choices;
}

std::span<const Choice<SourceFormat>> choices_of(SourceFormat) {
  static constexpr std::array<Choice<SourceFormat>, 4> choices{{{"auto", SourceFormat::automatic},
                                                                {"fasta", SourceFormat::fasta},
                                                                {"csv", SourceFormat::csv},
                                                                {"tsv", SourceFormat::tsv}}};
  return choices;
}

std::span<const Choice<PairMode>> choices_of(PairMode) {
  static constexpr std::array<Choice<PairMode>, 2> choices{
      {{"all_vs_all", PairMode::all_vs_all}, {"bait_vs_all", PairMode::bait_vs_all}}};
  return choices;
}

std::span<const Choice<StructureFormat>> choices_of(StructureFormat) {
  static constexpr std::array<Choice<StructureFormat>, 2> choices{
      {{"pdb", StructureFormat::pdb}, {"cif", StructureFormat::cif}}};
  return choices;
}

std::string type_text(const Key& key) {
  Manifest defaults;
  return std::visit(TypeText{key}, key.field(defaults));
}

}  // namespace pleat
