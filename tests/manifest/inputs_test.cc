// `inputs` and other paths: what may stand there, and what becomes of it.
#include <stdlib.h>

#include "manifest/expand.h"
#include "manifest_fixture.h"

namespace pleat {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(ExpandTest, ReplacesTheHomeAndVariables) {
  const Environment environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "HOME") return "/home/me";
    if (name == "RUN") return "7";
    return std::nullopt;
  };
  const auto text = [&](const std::string& path) { return expanded(path, environment); };
  EXPECT_EQ(text("~"), "/home/me");
  EXPECT_EQ(text("~/a.fasta"), "/home/me/a.fasta");
  EXPECT_EQ(text("${RUN}/x${RUN}.h5"), "7/x7.h5");
  EXPECT_EQ(text("a~/$RUN/~b $1 }"), "a~/$RUN/~b $1 }");
  for (const std::string bad : {"${NONE}/a", "a${RUN", "${}"}) {
    try {
      static_cast<void>(text(bad));
      ADD_FAILURE() << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_manifest);
    }
  }
}

std::string with_inputs(const std::string& inputs) {
  return "version: 1\nmodel: m\noutput: r.h5\ninputs: " + inputs + "\n";
}

TEST_F(ManifestTest, PathsAreExpanded) {
  ASSERT_EQ(::setenv("PLEAT_TEST_FOLDER", "/data/x", 1), 0);
  const Manifest m = load(
      "version: 1\nmodel: ${PLEAT_TEST_FOLDER}/m\noutput: ${PLEAT_TEST_FOLDER}/r.h5\n"
      "inputs: ['${PLEAT_TEST_FOLDER}/a.fa', \"@${PLEAT_TEST_FOLDER}/list\"]\n");
  EXPECT_EQ(m.model, "/data/x/m");
  EXPECT_EQ(m.output, "/data/x/r.h5");
  EXPECT_THAT(m.inputs, ElementsAre(InputSpec{"/data/x/a.fa"}, InputSpec{"@/data/x/list"}));
  EXPECT_THAT(error_of(with_inputs("${PLEAT_TEST_UNSET}/a")),
              AllOf(StartsWith("m.yaml:4:9: 'inputs' cannot be read: the variable PLEAT_TEST_UNSET in "),
                    HasSubstr("export PLEAT_TEST_UNSET=")));
}

TEST_F(ManifestTest, PathsOfOptionsAreRelativeToWhereTheUserStands) {
  const auto here = [](const std::string& name) { return std::filesystem::absolute(name).string(); };
  const Manifest m =
      load(minimal, {"output=o.h5", "inputs=[a.fa, \"@l\", \"-\", {file: b.csv}]", "model=esm2_t6_8M_UR50D"});
  EXPECT_EQ(m.output, here("o.h5"));
  EXPECT_THAT(m.inputs, ElementsAre(InputSpec{here("a.fa")}, InputSpec{"@" + here("l")}, InputSpec{"-"},
                                    InputSpec{here("b.csv")}));
  EXPECT_EQ(m.model, "esm2_t6_8M_UR50D");
  EXPECT_EQ(load(minimal, {"model=models/a"}).model, "models/a");
}

TEST_F(ManifestTest, OptionsNeedNoQuotesForListsAndPatterns) {
  const auto here = [](const std::string& name) { return std::filesystem::absolute(name).string(); };
  EXPECT_THAT(load(minimal, {"inputs=@names.txt"}).inputs, ElementsAre(InputSpec{"@" + here("names.txt")}));
  EXPECT_THAT(load(minimal, {"inputs=*.faa"}).inputs, ElementsAre(InputSpec{here("*.faa")}));
  EXPECT_THAT(load(minimal, {"inputs=-"}).inputs, ElementsAre(InputSpec{"-"}));
}

TEST_F(ManifestTest, AnInputMayBeAMap) {
  const Manifest m =
      load(with_inputs("[a.fa, {file: t.txt, format: csv, columns: {id: Gene, sequence: Seq 1, "
                       "description: Name}, delimiter: ';'}, {file: '-', delimiter: tab}]"));
  InputSpec table{"t.txt"};
  table.format = SourceFormat::csv;
  table.id_column = "Gene";
  table.sequence_column = "Seq 1";
  table.description_column = "Name";
  table.delimiter = ';';
  InputSpec stream{"-"};
  stream.delimiter = '\t';
  EXPECT_THAT(m.inputs, ElementsAre(InputSpec{"a.fa"}, table, stream));
  EXPECT_THAT(load(with_inputs("{file: t.txt}")).inputs, ElementsAre(InputSpec{"t.txt"}));
}

TEST_F(ManifestTest, AWrongMapIsRefused) {
  EXPECT_THAT(error_of(with_inputs("[{format: csv}]")), HasSubstr("a map without the key 'file'"));
  EXPECT_THAT(error_of(with_inputs("[{file: a, format: xlsx}]")), HasSubstr("has a format that is 'xlsx'"));
  EXPECT_THAT(error_of(with_inputs("[{file: a, columns: {name: x}}]")), HasSubstr("the unknown column 'name'"));
  EXPECT_THAT(error_of(with_inputs("[{file: a, columns: [x]}]")), HasSubstr("has columns that are a list"));
  EXPECT_THAT(error_of(with_inputs("[{file: a, delimiter: '::'}]")), HasSubstr("has a delimiter that is"));
  EXPECT_THAT(error_of(with_inputs("'@'")), HasSubstr("'@' without a name"));
}

TEST_F(ManifestTest, ANameThatACommentCutsIsRefused) {
  EXPECT_THAT(error_of("version: 1\nmodel: m\ninputs: a.fa\noutput: out #1.h5\n"),
              AllOf(StartsWith("m.yaml:4:9: 'output' is 'out', since YAML takes '#1.h5' behind it for a comment"),
                    HasSubstr("in quotes")));
  EXPECT_EQ(load("version: 1\nmodel: m\ninputs: a.fa\noutput: \"out #1.h5\"\n").output, "out #1.h5");
  EXPECT_EQ(load("version: 1\nmodel: m #\ninputs: a.fa ## x\noutput: out.h5  # the file\n").output, "out.h5");
}

TEST_F(ManifestTest, NamesThatYamlCannotTakeGiveAHint) {
  EXPECT_THAT(error_of(with_inputs("@files.txt")), HasSubstr("need quotes"));
  EXPECT_THAT(error_of(with_inputs("*.fasta")), HasSubstr("need quotes"));
}

}  // namespace
}  // namespace pleat
