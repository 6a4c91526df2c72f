// What right manifests mean.
#include "manifest/manifest.h"

#include "core/sha256.h"
#include "manifest_fixture.h"

namespace pleat {
namespace {

using ::testing::ElementsAre;

TEST_F(ManifestTest, TheMinimumHasTheDefaults) {
  const Manifest m = load(minimal);
  EXPECT_EQ(m.version, 1);
  EXPECT_EQ(m.model, "m");
  EXPECT_THAT(m.inputs, ElementsAre(InputSpec{"a.fasta"}));
  EXPECT_EQ(m.output, "r.h5");
  EXPECT_TRUE(m.tasks.embeddings.enabled);
  EXPECT_THAT(m.tasks.embeddings.layers, ElementsAre(-1));
  EXPECT_TRUE(m.tasks.embeddings.per_residue);
  EXPECT_TRUE(m.tasks.embeddings.mean);
  EXPECT_FALSE(m.tasks.embeddings.bos);
  EXPECT_EQ(m.tasks.embeddings.dtype, DType::float16);
  EXPECT_FALSE(m.tasks.logits);
  EXPECT_FALSE(m.tasks.contacts);
  EXPECT_FALSE(m.tasks.structure.enabled);
  EXPECT_EQ(m.tasks.structure.num_recycles, 3);
  EXPECT_EQ(m.tasks.structure.recycle_tolerance, 0);
  EXPECT_TRUE(m.tasks.structure.pae);
  EXPECT_EQ(m.tasks.structure.dtype, DType::float16);
  EXPECT_THAT(m.tasks.structure.formats, ElementsAre());
  EXPECT_EQ(m.tasks.structure.chain_linker, 25);
  EXPECT_EQ(m.tasks.structure.chain_gap, 512);
  EXPECT_EQ(m.run.devices, "auto");
  EXPECT_EQ(m.run.precision, Precision::automatic);
  EXPECT_FALSE(m.run.max_tokens_per_batch.has_value());
  EXPECT_FALSE(m.run.chunk_size.has_value());
  EXPECT_EQ(m.policy.residues, ResiduePolicy::convert);
  EXPECT_EQ(m.policy.max_length, 0);
  EXPECT_EQ(m.policy.duplicates, DuplicatePolicy::share);
  EXPECT_EQ(m.policy.fail_on, FailOn::any);
}

TEST_F(ManifestTest, EveryKeyIsRead) {
  const Manifest m = load(R"(
version: 1
model: /models/esmfold
inputs: [p.fasta, "more of them.csv.gz"]
output: out/r.h5
tasks:
  embeddings: {layers: [0, 3, -2], per_residue: false, mean: false, bos: true, dtype: float32}
  logits: true
  contacts: true
  structure: {num_recycles: 1, recycle_tolerance: 0.5, pae: false, dtype: float32, formats: [cif, pdb],
              chain_linker: 0, chain_gap: 1000}
run: {devices: "cuda:0,2", precision: bf16, max_tokens_per_batch: 2048, chunk_size: 64}
policy: {residues: strict, max_length: 1000, duplicates: separate, fail_on: none}
)");
  EXPECT_EQ(m.model, "/models/esmfold");
  EXPECT_THAT(m.inputs, ElementsAre(InputSpec{"p.fasta"}, InputSpec{"more of them.csv.gz"}));
  EXPECT_EQ(m.output, "out/r.h5");
  EXPECT_THAT(m.tasks.embeddings.layers, ElementsAre(0, 3, -2));
  EXPECT_FALSE(m.tasks.embeddings.per_residue);
  EXPECT_FALSE(m.tasks.embeddings.mean);
  EXPECT_TRUE(m.tasks.embeddings.bos);
  EXPECT_EQ(m.tasks.embeddings.dtype, DType::float32);
  EXPECT_TRUE(m.tasks.logits);
  EXPECT_TRUE(m.tasks.contacts);
  EXPECT_TRUE(m.tasks.structure.enabled);
  EXPECT_EQ(m.tasks.structure.num_recycles, 1);
  EXPECT_EQ(m.tasks.structure.recycle_tolerance, 0.5);
  EXPECT_FALSE(m.tasks.structure.pae);
  EXPECT_EQ(m.tasks.structure.dtype, DType::float32);
  EXPECT_THAT(m.tasks.structure.formats, ElementsAre(StructureFormat::cif, StructureFormat::pdb));
  EXPECT_EQ(m.tasks.structure.chain_linker, 0);
  EXPECT_EQ(m.tasks.structure.chain_gap, 1000);
  EXPECT_EQ(m.run.devices, "cuda:0,2");
  EXPECT_EQ(m.run.precision, Precision::bfloat16);
  EXPECT_EQ(m.run.max_tokens_per_batch, 2048);
  EXPECT_EQ(m.run.chunk_size, 64);
  EXPECT_EQ(m.policy.residues, ResiduePolicy::strict);
  EXPECT_EQ(m.policy.max_length, 1000);
  EXPECT_EQ(m.policy.duplicates, DuplicatePolicy::separate);
  EXPECT_EQ(m.policy.fail_on, FailOn::none);
}

TEST_F(ManifestTest, OneValueStandsForAListOfOne) {
  const Manifest m = load("version: 1\nmodel: m\ninputs: a.fa\noutput: r.h5\ntasks: {embeddings: {layers: 4}}\n");
  EXPECT_THAT(m.inputs, ElementsAre(InputSpec{"a.fa"}));
  EXPECT_THAT(m.tasks.embeddings.layers, ElementsAre(4));
}

TEST_F(ManifestTest, AToleranceIsAnyNumberFromNothing) {
  const auto tolerance = [this](const std::string& number) {
    return load(minimal + "tasks: {structure: {recycle_tolerance: " + number + "}}\n")
        .tasks.structure.recycle_tolerance;
  };
  EXPECT_EQ(tolerance("0"), 0);
  EXPECT_EQ(tolerance("1"), 1);
  EXPECT_EQ(tolerance("+0.25"), 0.25);
  EXPECT_EQ(tolerance("1e-3"), 0.001);
  EXPECT_EQ(tolerance("2.5E+1"), 25);
}

TEST_F(ManifestTest, FormatsAreOneOrAListOrNone) {
  const auto formats = [this](const std::string& list) {
    return load(minimal + "tasks: {structure: {formats: " + list + "}}\n").tasks.structure.formats;
  };
  EXPECT_THAT(formats("pdb"), ElementsAre(StructureFormat::pdb));
  EXPECT_THAT(formats("[cif]"), ElementsAre(StructureFormat::cif));
  EXPECT_THAT(formats("[]"), ElementsAre());
  EXPECT_THAT(formats("[pdb, cif, pdb]"), ElementsAre(StructureFormat::pdb, StructureFormat::cif));
}

TEST_F(ManifestTest, PrecisionHasSynonyms) {
  const auto precision = [this](const std::string& word) {
    return load(minimal + "run: {precision: " + word + "}\n").run.precision;
  };
  EXPECT_EQ(precision("auto"), Precision::automatic);
  EXPECT_EQ(precision("fp32"), Precision::float32);
  EXPECT_EQ(precision("float32"), Precision::float32);
  EXPECT_EQ(precision("tf32"), Precision::tf32);
  EXPECT_EQ(precision("bf16"), Precision::bfloat16);
  EXPECT_EQ(precision("bfloat16"), Precision::bfloat16);
  EXPECT_EQ(precision("fp16"), Precision::float16);
  EXPECT_EQ(precision("float16"), Precision::float16);
}

TEST_F(ManifestTest, BothEndsOfARangeBelongToIt) {
  EXPECT_EQ(load(minimal + "run: {max_tokens_per_batch: 8}").run.max_tokens_per_batch, 8);
  EXPECT_EQ(load(minimal + "run: {max_tokens_per_batch: 1048576}").run.max_tokens_per_batch, 1048576);
  EXPECT_EQ(load(minimal + "run: {chunk_size: 1}").run.chunk_size, 1);
  EXPECT_EQ(load(minimal + "run: {chunk_size: 4096}").run.chunk_size, 4096);
  EXPECT_EQ(load(minimal + "policy: {max_length: 9223372036854775807}").policy.max_length, INT64_MAX);
}

TEST_F(ManifestTest, EmbeddingsAreOffWhereOnlyAnotherTaskIsAskedFor) {
  const Manifest logits = load(minimal + "tasks: {logits: true}");
  EXPECT_TRUE(logits.tasks.logits);
  EXPECT_FALSE(logits.tasks.embeddings.enabled);
  EXPECT_FALSE(load(minimal + "tasks: {contacts: true}").tasks.embeddings.enabled);
  EXPECT_FALSE(load(minimal + "tasks: {structure: true}").tasks.embeddings.enabled);
  EXPECT_FALSE(load(minimal + "tasks: {structure: {pae: false}}").tasks.embeddings.enabled);
}

TEST_F(ManifestTest, EmbeddingsStayWhereTheyAreNamedOrNothingElseIs) {
  EXPECT_TRUE(load(minimal + "tasks: {logits: true, embeddings: true}").tasks.embeddings.enabled);
  EXPECT_TRUE(load(minimal + "tasks: {logits: true, embeddings: {bos: true}}").tasks.embeddings.enabled);
  EXPECT_TRUE(load(minimal + "tasks: {logits: false}").tasks.embeddings.enabled);
  EXPECT_TRUE(load(minimal + "tasks: {}").tasks.embeddings.enabled);
}

TEST_F(ManifestTest, TasksCanBeSwitchedWithoutAMap) {
  const Manifest m = load(minimal + "tasks: {embeddings: false, structure: true}");
  EXPECT_FALSE(m.tasks.embeddings.enabled);
  EXPECT_TRUE(m.tasks.structure.enabled);
  EXPECT_EQ(m.tasks.structure.num_recycles, 3);
  EXPECT_TRUE(m.tasks.structure.pae);
  EXPECT_FALSE(load(minimal + "tasks: {structure: false}").tasks.structure.enabled);
}

TEST_F(ManifestTest, PathsAreRelativeToTheFolderOfTheManifest) {
  const Manifest m = load(minimal);
  EXPECT_EQ(m.folder, folder_);
  EXPECT_EQ(m.resolve("a.fasta"), folder_ / "a.fasta");
  EXPECT_EQ(m.resolve("../a.fasta"), folder_ / "../a.fasta");
  EXPECT_EQ(m.resolve("/data/a.fasta"), "/data/a.fasta");
}

TEST_F(ManifestTest, TheTextIsKeptAndHashedWithTheOverrides) {
  const Manifest plain = load(minimal);
  EXPECT_EQ(plain.text, minimal);
  EXPECT_EQ(plain.sha256, sha256_of(minimal));
  EXPECT_TRUE(plain.overrides.empty());

  const Manifest other = load(minimal, {"policy.max_length=1", "model=x"});
  EXPECT_EQ(other.text, minimal);
  EXPECT_THAT(other.overrides, ElementsAre("policy.max_length=1", "model=x"));
  EXPECT_NE(other.sha256, plain.sha256);
  EXPECT_NE(other.sha256, load(minimal, {"policy.max_length=1"}).sha256);
  EXPECT_NE(other.sha256, load(minimal, {"model=x", "policy.max_length=1"}).sha256);
  EXPECT_EQ(other.sha256, load(minimal, {"policy.max_length=1", "model=x"}).sha256);
}

TEST_F(ManifestTest, YamlIsReadAsPeopleWriteIt) {
  const Manifest m = load(
      "\xEF\xBB\xBF# a comment\r\n---\r\nversion: +1\r\n\"model\": 'm\xC3\xA9'\r\n"
      "inputs:\r\n  - a.fa  # the first\r\n  - 2024\r\noutput: r.h5\r\npolicy:\r\n  max_length: 5\r\n...\r\n");
  EXPECT_EQ(m.model, "m\xC3\xA9");
  EXPECT_THAT(m.inputs, ElementsAre(InputSpec{"a.fa"}, InputSpec{"2024"}));
  EXPECT_EQ(m.output, "r.h5");
  EXPECT_EQ(m.policy.max_length, 5);
}

TEST_F(ManifestTest, AliasesStandForTheirAnchors) {
  const Manifest m = load(minimal +
                          "tasks: {embeddings: {layers: &l [1, 2], dtype: &d float32}, "
                          "structure: {dtype: *d}}\n");
  EXPECT_EQ(m.tasks.structure.dtype, DType::float32);
}

}  // namespace
}  // namespace pleat
