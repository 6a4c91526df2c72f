// --set a.b=c
#include "manifest_fixture.h"

namespace pleat {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

TEST_F(ManifestTest, OverridesWinOverTheFile) {
  const Manifest m = load(minimal + "run: {precision: fp32}\npolicy: {max_length: 1}\n",
                          {"policy.max_length=2", "output=/tmp/o=1.h5", "inputs=[b.fa, c.fa]", "run.devices=cuda:0,2"});
  EXPECT_EQ(m.policy.max_length, 2);
  EXPECT_EQ(m.run.precision, Precision::float32);
  EXPECT_EQ(m.output, "/tmp/o=1.h5");
  EXPECT_THAT(m.inputs, ElementsAre(InputSpec{std::filesystem::absolute("b.fa").string()},
                                    InputSpec{std::filesystem::absolute("c.fa").string()}));
  EXPECT_EQ(m.run.devices, "cuda:0,2");
}

TEST_F(ManifestTest, TheLastOverrideWins) {
  EXPECT_EQ(load(minimal, {"policy.max_length=2", "policy.max_length=3"}).policy.max_length, 3);
  EXPECT_FALSE(load(minimal, {"run.chunk_size=3", "run.chunk_size=auto"}).run.chunk_size.has_value());
}

TEST_F(ManifestTest, AnOverrideCanGiveARequiredKey) {
  EXPECT_EQ(load("version: 1\ninputs: a\noutput: r\n", {"model=m"}).model, "m");
}

TEST_F(ManifestTest, AnOverridingMapReplacesWhatStoodThere) {
  const std::string file = minimal + "tasks: {logits: true, embeddings: {bos: true, layers: [0]}}\n";
  const EmbeddingsTask replaced = load(file, {"tasks.embeddings={mean: false}"}).tasks.embeddings;
  EXPECT_FALSE(replaced.mean);
  EXPECT_FALSE(replaced.bos);
  EXPECT_THAT(replaced.layers, ElementsAre(-1));

  const Tasks tasks = load(file, {"tasks={contacts: true}"}).tasks;
  EXPECT_TRUE(tasks.contacts);
  EXPECT_FALSE(tasks.logits);
  EXPECT_FALSE(tasks.embeddings.enabled);
}

TEST_F(ManifestTest, AnOverriddenDetailKeepsTheRest) {
  const EmbeddingsTask task =
      load(minimal + "tasks: {embeddings: {bos: true, layers: [0]}}\n", {"tasks.embeddings.mean=false"})
          .tasks.embeddings;
  EXPECT_FALSE(task.mean);
  EXPECT_TRUE(task.bos);
  EXPECT_THAT(task.layers, ElementsAre(0));
}

TEST_F(ManifestTest, ADetailOfATaskAsksForTheTask) {
  EXPECT_TRUE(load(minimal, {"tasks.logits=true", "tasks.embeddings.bos=true"}).tasks.embeddings.enabled);
  EXPECT_TRUE(load(minimal, {"tasks.structure.pae=false"}).tasks.structure.enabled);
  EXPECT_TRUE(load(minimal + "tasks: {embeddings: false}\n", {"tasks.embeddings.bos=true"}).tasks.embeddings.enabled);
  EXPECT_FALSE(load(minimal, {"tasks.embeddings.bos=true", "tasks.embeddings=false", "tasks.logits=true"})
                   .tasks.embeddings.enabled);
}

TEST_F(ManifestTest, OtherTasksByOverrideSwitchEmbeddingsOff) {
  EXPECT_FALSE(load(minimal, {"tasks.logits=true"}).tasks.embeddings.enabled);
  EXPECT_TRUE(load(minimal + "tasks: {embeddings: true}\n", {"tasks.logits=true"}).tasks.embeddings.enabled);
}

TEST_F(ManifestTest, WrongOverridesAreShownWhole) {
  const auto error = [this](const std::string& assignment) { return error_of(minimal, {assignment}); };
  EXPECT_EQ(error("tasks.logit=true"),
            "--set tasks.logit=true: unknown key 'tasks.logit' | did you mean 'tasks.logits'?");
  EXPECT_EQ(error("taks.logits=true"),
            "--set taks.logits=true: unknown key 'taks.logits' | did you mean 'tasks.logits'?");
  EXPECT_EQ(error("max_length=1"), "--set max_length=1: unknown key 'max_length' | did you mean 'policy.max_length'?");
  EXPECT_THAT(
      error("policy.max_length.x=1"),
      StartsWith("--set policy.max_length.x=1: unknown key 'policy.max_length.x' | did you mean 'policy.max_length'?"));
  EXPECT_THAT(error("structure.pae=true"), ::testing::HasSubstr("did you mean 'tasks.structure.pae'?"));
  EXPECT_THAT(error("policy.something_else=1"), ::testing::HasSubstr(" | the keys of 'policy' are residues, "));
  EXPECT_THAT(error("policy.max_length.something=1"), ::testing::HasSubstr(" | the keys are version, model, "));
  EXPECT_THAT(error("output='r"), StartsWith("--set output='r: bad YAML: a quote is never closed | "));
  EXPECT_THAT(
      error("policy.max_length=yes"),
      StartsWith(
          "--set policy.max_length=yes: 'policy.max_length' is 'yes', but must be a whole number of at least 0 | "));
  EXPECT_THAT(error("output="), StartsWith("--set output=: 'output' is empty, but must be text | "));
  EXPECT_THAT(error("inputs=[a"), StartsWith("--set inputs=[a: bad YAML: "));
  EXPECT_THAT(error("run={devises: 1}"),
              StartsWith("--set run={devises: 1}: unknown key 'run.devises' | did you mean"));
  EXPECT_THAT(error("policy={max_length: 1, max_length: 2}"),
              StartsWith("--set policy={max_length: 1, max_length: 2}: the key 'policy.max_length' is given twice | "));
  EXPECT_THAT(error("version=2"), StartsWith("--set version=2: 'version' is '2', but must be 1 | "));
  EXPECT_THAT(error("model=\xE9"), ::testing::HasSubstr("this is not UTF-8 text"));
  EXPECT_THAT(error("tasks.embeddings=false"),
              StartsWith("--set tasks.embeddings=false: there is nothing to compute: every task is off | "));
}

TEST_F(ManifestTest, WithoutKeyOrValueItIsAUsageError) {
  for (const std::string assignment : {"policy.max_length", "=1", ""}) {
    try {
      static_cast<void>(load(minimal, {assignment}));
      FAIL() << "no error for '" << assignment << "'";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::usage);
      EXPECT_THAT(error.what(), ::testing::HasSubstr("--set " + assignment));
    }
  }
}

}  // namespace
}  // namespace pleat
