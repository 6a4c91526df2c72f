// What wrong manifests say: place, what is wrong, what to do.
#include "manifest_fixture.h"

namespace pleat {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(ManifestTest, AMissingFileIsNoBadManifest) {
  try {
    static_cast<void>(load_manifest(folder_ / "none.yaml", {}));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::missing_input);
    EXPECT_THAT(error.what(), HasSubstr("none.yaml"));
  }
}

TEST_F(ManifestTest, AFolderIsNoManifest) {
  try {
    static_cast<void>(load_manifest(folder_, {}));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::missing_input);
    EXPECT_THAT(error.what(), HasSubstr("is a folder"));
  }
}

TEST_F(ManifestTest, EmptyFiles) {
  EXPECT_THAT(error_of(""), StartsWith("m.yaml:1:1: the manifest is empty | "));
  EXPECT_THAT(error_of("# only a comment\n\n"), StartsWith("m.yaml:1:1: the manifest is empty | "));
  EXPECT_THAT(error_of("---\n"), StartsWith("m.yaml:1:1: the manifest is empty | "));
}

TEST_F(ManifestTest, NotAMap) {
  EXPECT_THAT(error_of("- version: 1\n"), StartsWith("m.yaml:1:1: the manifest is a list, but must be a map of keys"));
  EXPECT_THAT(error_of(">sp|P1\nMKV\n"), StartsWith("m.yaml:1:2: bad YAML: "));
  EXPECT_THAT(error_of("\nhello\n"), StartsWith("m.yaml:2:1: the manifest is a single value"));
}

TEST_F(ManifestTest, BadYamlIsPlaced) {
  EXPECT_THAT(error_of("version: 1\ninputs: [a\nmodel: m\n"), StartsWith("m.yaml:3:6: bad YAML: "));
  EXPECT_THAT(error_of("version: 1\n  model: m\n"), StartsWith("m.yaml:2:8: bad YAML: "));
  EXPECT_THAT(error_of(minimal + "run: {devices: 'cpu\n"), StartsWith("m.yaml:6:2: bad YAML: a quote is never closed"));
  EXPECT_THAT(error_of("version: 1\nmodel: m\ninputs: a\noutput: \"r\n"), HasSubstr("a quote is never closed"));
  EXPECT_THAT(error_of(minimal + "tasks"), StartsWith("m.yaml:5:1: bad YAML: "));
  EXPECT_THAT(error_of("run:\n\tdevices: cpu\n"), AllOf(StartsWith("m.yaml:2:"), HasSubstr("bad YAML: ")));
  EXPECT_THAT(error_of(minimal + "policy: *nowhere\n"), StartsWith("m.yaml:5:9: bad YAML: "));
}

TEST_F(ManifestTest, OneDocumentOnly) {
  EXPECT_THAT(error_of(minimal + "---\nmodel: other\n"), StartsWith("m.yaml:5:1: a second YAML document begins here"));
  EXPECT_THAT(error_of(", " + minimal), StartsWith("m.yaml:1:1: a second YAML document begins here"));
}

TEST_F(ManifestTest, NotText) {
  EXPECT_THAT(error_of(std::string("version: 1\nmodel: a\0b\n", 22)), StartsWith("m.yaml:2:9: this is not text"));
  EXPECT_THAT(error_of("\x89PNG\r\n\x1a\n"), StartsWith("m.yaml:2:1: this is not text"));
  EXPECT_THAT(error_of("version: 1\nmodel: \xE9\n"), StartsWith("m.yaml:1:1: this is not UTF-8 text"));
}

TEST_F(ManifestTest, TooLarge) {
  write(minimal);
  std::filesystem::resize_file(file(), (16U << 20) + 1);
  try {
    static_cast<void>(load_manifest(file(), {}));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_manifest);
    EXPECT_THAT(error.what(), HasSubstr("m.yaml:1:1: the file is too large"));
  }
}

TEST_F(ManifestTest, UnknownKeysNameTheNearestKnownOne) {
  EXPECT_EQ(error_of(minimal + "taks: {}\n"), "m.yaml:5:1: unknown key 'taks' | did you mean 'tasks'?");
  EXPECT_EQ(error_of(minimal + "tasks:\n  logit: true\n"),
            "m.yaml:6:3: unknown key 'tasks.logit' | did you mean 'tasks.logits'?");
  EXPECT_EQ(error_of(minimal + "tasks: {embeddings: {layer: 1}}\n"),
            "m.yaml:5:22: unknown key 'tasks.embeddings.layer' | did you mean 'tasks.embeddings.layers'?");
  EXPECT_EQ(error_of(minimal + "num_recycles: 1\n"),
            "m.yaml:5:1: unknown key 'num_recycles' | did you mean 'tasks.structure.num_recycles'?");
  EXPECT_EQ(error_of(minimal + "run: {something_else: 1}\n"),
            "m.yaml:5:7: unknown key 'run.something_else' | the keys of 'run' are devices, precision, "
            "max_tokens_per_batch, chunk_size, batch_timeout");
  EXPECT_THAT(error_of(minimal + "run.devices: cpu\n"), StartsWith("m.yaml:5:1: unknown key 'run.devices' | "));
  EXPECT_THAT(error_of(minimal + "<<: {run: {}}\n"), StartsWith("m.yaml:5:1: unknown key '<<' | "));
  EXPECT_THAT(error_of(minimal + "\"\": 1\n"), StartsWith("m.yaml:5:1: unknown key '' | "));
  EXPECT_THAT(error_of(minimal + "? [a, b]\n: 1\n"), StartsWith("m.yaml:5:3: a key must be a word | "));
}

TEST_F(ManifestTest, StrangeKeysAreShownSafely) {
  EXPECT_THAT(error_of(minimal + std::string(900, 'k') + ": 1\n"), HasSubstr("'" + std::string(60, 'k') + "...'"));
  EXPECT_THAT(error_of(minimal + "\"a\\e[31mb\": 1\n"), HasSubstr("unknown key 'a?[31mb'"));
}

TEST_F(ManifestTest, DuplicateKeys) {
  EXPECT_THAT(error_of(minimal + "model: other\n"),
              StartsWith("m.yaml:5:1: the key 'model' is given twice, first in line 2 | "));
  EXPECT_THAT(error_of(minimal + "policy: {max_length: 1, max_length: 1}\n"),
              StartsWith("m.yaml:5:25: the key 'policy.max_length' is given twice, first in line 5 | "));
}

TEST_F(ManifestTest, MissingKeys) {
  EXPECT_EQ(error_of("model: m\ninputs: a\noutput: r\n"),
            "m.yaml:1:1: the key 'version' is missing | add it, for example version: 1");
  EXPECT_EQ(error_of("version: 1\ninputs: a\noutput: r\n"),
            "m.yaml:1:1: the key 'model' is missing | add it, for example model: esm2_t6_8M_UR50D");
  EXPECT_THAT(error_of("version: 1\nmodel: m\noutput: r\n"), StartsWith("m.yaml:1:1: the key 'inputs' is missing"));
  EXPECT_THAT(error_of("version: 1\nmodel: m\ninputs: a\n"), StartsWith("m.yaml:1:1: the key 'output' is missing"));
}

TEST_F(ManifestTest, OtherVersions) {
  EXPECT_EQ(error_of("brand_new_key: 1\nversion: 2\n"),
            "m.yaml:2:10: 'version' is '2', but must be 1 | this pleat reads manifests of version 1 only; a newer "
            "manifest needs a newer pleat");
  EXPECT_THAT(error_of("version: 1.0\n"), StartsWith("m.yaml:1:10: 'version' is '1.0', but must be 1 | "));
  EXPECT_THAT(error_of("version: 0\n"), StartsWith("m.yaml:1:10: 'version' is '0', but must be 1 | "));
}

TEST_F(ManifestTest, NumbersAreWholeAndPlain) {
  for (const std::string value : {"1.5", "1e3", "1e3x", "yes", "true", "0x10", "010", "1_000", "--1", "+", "-", "1 2",
                                  "99999999999999999999", "9223372036854775808", "-1", ".inf", "!!int 3"}) {
    EXPECT_THAT(error_of(minimal + "policy: {max_length: " + value + "}\n"),
                AllOf(StartsWith("m.yaml:5:"), HasSubstr("'policy.max_length' is '"),
                      HasSubstr("but must be a whole number of at least 0 | ")))
        << value;
  }
  EXPECT_THAT(
      error_of(minimal + "policy: {max_length: '5'}\n"),
      StartsWith("m.yaml:5:22: 'policy.max_length' is the quoted text '5', but must be a whole number of at least 0"));
  EXPECT_THAT(error_of(minimal + "policy:\n  max_length:\n"),
              StartsWith("m.yaml:6:3: 'policy.max_length' is empty, but must be"));
  EXPECT_THAT(error_of(minimal + "policy: {max_length: [1]}\n"),
              StartsWith("m.yaml:5:22: 'policy.max_length' is a list, but"));
  EXPECT_THAT(error_of(minimal + "policy: {max_length: {a: 1}}\n"),
              StartsWith("m.yaml:5:22: 'policy.max_length' is a map, but"));
}

TEST_F(ManifestTest, NumbersOutOfRange) {
  EXPECT_THAT(error_of(minimal + "run: {max_tokens_per_batch: 7}\n"),
              StartsWith("m.yaml:5:29: 'run.max_tokens_per_batch' is '7', but must be auto or a whole number from 8 to "
                         "1048576 | "));
  EXPECT_THAT(error_of(minimal + "run: {max_tokens_per_batch: 1048577}\n"), HasSubstr("is '1048577', but must be"));
  EXPECT_THAT(error_of(minimal + "run: {chunk_size: 0}\n"), HasSubstr("auto or a whole number from 1 to 4096"));
  EXPECT_THAT(error_of(minimal + "run: {chunk_size: 4097}\n"), HasSubstr("is '4097', but must be"));
  EXPECT_THAT(error_of(minimal + "policy: {max_length: -1}\n"), HasSubstr("is '-1', but must be a whole number of"));
  EXPECT_THAT(error_of(minimal + "tasks: {structure: {num_recycles: -1}}\n"), HasSubstr("from 0 to 100"));
}

TEST_F(ManifestTest, TrueAndFalseOnly) {
  for (const std::string value : {"yes", "no", "on", "1", "'true'", "~", "[true]", "tru"}) {
    EXPECT_THAT(error_of(minimal + "tasks: {logits: " + value + "}\n"),
                AllOf(StartsWith("m.yaml:5:"), HasSubstr("'tasks.logits' is "), HasSubstr("but must be true or false")))
        << value;
  }
}

TEST_F(ManifestTest, WordsNameTheNearestOne) {
  EXPECT_EQ(error_of(minimal + "run: {precision: bp16}\n"),
            "m.yaml:5:18: 'run.precision' is 'bp16', but must be one of auto, fp32, tf32, bf16, fp16, float32, "
            "bfloat16, float16 | did you mean 'bf16'?");
  EXPECT_THAT(error_of(minimal + "tasks: {embeddings: {dtype: bfloat16}}\n"),
              HasSubstr("but must be one of float16, float32 | did you mean 'float16'?"));
  EXPECT_THAT(error_of(minimal + "policy: {residues: drop_everything}\n"),
              HasSubstr("one of convert, strict | `pleat"));
  EXPECT_THAT(error_of(minimal + "policy: {duplicates: shared}\n"), HasSubstr("did you mean 'share'?"));
  EXPECT_THAT(error_of(minimal + "policy: {fail_on: [any]}\n"), HasSubstr("is a list, but must be one of any, all"));
  EXPECT_THAT(error_of(minimal + "policy: {fail_on: }\n"), HasSubstr("'policy.fail_on' is empty, but must be one of"));
}

TEST_F(ManifestTest, TextsAndLists) {
  const auto with = [](const std::string& line) {
    const std::string key = line.substr(0, line.find(':'));
    std::string text = "version: 1\n" + line + "\n";
    for (const std::string other : {"model: m", "inputs: a", "output: r"}) {
      if (!other.starts_with(key)) text += other + "\n";
    }
    return text;
  };
  EXPECT_THAT(error_of(with("model: [a]")), StartsWith("m.yaml:2:8: 'model' is a list, but must be text"));
  EXPECT_THAT(error_of(with("model: {a: b}")), StartsWith("m.yaml:2:8: 'model' is a map, but must be text"));
  EXPECT_THAT(error_of(with("model:")), StartsWith("m.yaml:2:1: 'model' is empty, but must be text"));
  EXPECT_THAT(error_of(with("model: ~")), StartsWith("m.yaml:2:1: 'model' is empty, but must be text"));
  EXPECT_THAT(error_of(with("output: ''")), StartsWith("m.yaml:2:9: 'output' is empty, but must be text"));
  EXPECT_THAT(error_of(with("output: \"a\\0b\"")), HasSubstr("which has control characters in it"));
  EXPECT_THAT(error_of(with("inputs: []")),
              StartsWith("m.yaml:2:9: 'inputs' is an empty list, but must be a text, a map"));
  EXPECT_THAT(error_of(with("inputs: [a, [b]]")), StartsWith("m.yaml:2:13: 'inputs' holds a list, but must be"));
  EXPECT_THAT(error_of(with("inputs: [a, '']")), StartsWith("m.yaml:2:13: 'inputs' holds empty, but must be"));
  EXPECT_THAT(error_of(with("inputs: {a: b}")),
              StartsWith("m.yaml:2:10: 'inputs' holds a map with the unknown key 'a' | the keys are file, "));
  EXPECT_THAT(error_of(minimal + "run: {devices: [cpu, cuda]}"),
              HasSubstr("'run.devices' is a list, but must be text"));
  EXPECT_THAT(error_of(minimal + "run: {devices: ''}"), HasSubstr("'run.devices' is empty, but must be text"));
}

TEST_F(ManifestTest, Layers) {
  const auto layers = [this](const std::string& value) {
    return error_of(minimal + "tasks: {embeddings: {layers: " + value + "}}\n");
  };
  EXPECT_THAT(layers("[]"),
              StartsWith("m.yaml:5:30: 'tasks.embeddings.layers' is an empty list, but must be a whole "));
  EXPECT_THAT(layers("[0, last]"), StartsWith("m.yaml:5:34: 'tasks.embeddings.layers' holds 'last', but must be"));
  EXPECT_THAT(layers("all"), StartsWith("m.yaml:5:30: 'tasks.embeddings.layers' is 'all', but must be"));
  EXPECT_THAT(layers("[1.0]"), HasSubstr("holds '1.0', but must be"));
  EXPECT_THAT(layers("[[1]]"), HasSubstr("holds a list, but must be"));
}

TEST_F(ManifestTest, FormatsAreAFixedChoice) {
  const auto formats = [this](const std::string& value) {
    return error_of(minimal + "tasks: {structure: {formats: " + value + "}}\n");
  };
  EXPECT_EQ(formats("[pdb, mmcif]"),
            "m.yaml:5:36: 'tasks.structure.formats' holds 'mmcif', but must be one of pdb, cif, or a list of them | "
            "did you mean 'cif'?");
  EXPECT_THAT(formats("pbd"), HasSubstr("did you mean 'pdb'?"));
  EXPECT_THAT(formats("[[pdb]]"), HasSubstr("holds a list, but must be"));
  EXPECT_THAT(formats("{pdb: true}"), HasSubstr("is a map, but must be"));
  EXPECT_THAT(formats(""), HasSubstr("is empty, but must be"));
}

TEST_F(ManifestTest, AToleranceMustBeANumber) {
  const auto tolerance = [this](const std::string& value) {
    return error_of(minimal + "tasks: {structure: {recycle_tolerance: " + value + "}}\n");
  };
  EXPECT_THAT(tolerance("-0.1"), HasSubstr("'tasks.structure.recycle_tolerance' is '-0.1', but must be a number of at "
                                           "least 0 | "));
  for (const char* const bad : {"nan", ".nan", "inf", ".inf", "-.inf", "1e999", "0x1p3", "1 2", "1.2.3", "'0.5'", "1e",
                                "+-1", "", "[0.5]", "true", "0,5e"}) {
    EXPECT_THAT(tolerance(bad), HasSubstr("m.yaml:5:")) << bad;
  }
}

TEST_F(ManifestTest, Sections) {
  EXPECT_THAT(error_of(minimal + "tasks: [logits]\n"), StartsWith("m.yaml:5:8: 'tasks' is a list, but must be a map"));
  EXPECT_THAT(error_of(minimal + "tasks: true\n"), StartsWith("m.yaml:5:8: 'tasks' is 'true', but must be a map"));
  EXPECT_THAT(error_of(minimal + "run:\n"), StartsWith("m.yaml:5:1: 'run' is empty, but must be a map"));
  EXPECT_THAT(error_of(minimal + "tasks: {embeddings: yes}\n"),
              StartsWith("m.yaml:5:21: 'tasks.embeddings' is 'yes', but must be a map, true or false"));
  EXPECT_THAT(error_of(minimal + "tasks: {structure: []}\n"), HasSubstr("is an empty list, but must be a map, true"));
}

TEST_F(ManifestTest, NothingToDo) {
  EXPECT_THAT(error_of(minimal + "tasks: {embeddings: false}\n"),
              StartsWith("m.yaml:5:8: there is nothing to compute: every task is off | "));
  EXPECT_THAT(error_of(minimal + "tasks: {embeddings: {per_residue: false, mean: false}}\n"),
              StartsWith("m.yaml:5:21: 'tasks.embeddings' keeps nothing: per_residue, mean and bos are all false | "));
}

// YAML that grows when it is read, or never ends.
TEST_F(ManifestTest, HostileYaml) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 40; ++i) {
    const std::string old = "*a" + std::to_string(i - 1);
    const std::string name = "a" + std::to_string(i);
    bomb += name + ": &" + name + " [" + old + ", " + old + ", " + old + ", " + old + "]\n";
  }
  EXPECT_THAT(error_of(bomb + "inputs: *a39\n"), StartsWith("m.yaml:1:1: unknown key 'a0'"));
  EXPECT_THAT(error_of("version: 1\ninputs: &a [*a]\n"), AllOf(StartsWith("m.yaml:2:"), Not(HasSubstr("no error"))));
  EXPECT_THAT(error_of("version: 1\ntasks: &a {embeddings: *a}\n"),
              StartsWith("m.yaml:2:12: unknown key 'tasks.embeddings.embeddings'"));
  EXPECT_THAT(error_of("inputs: " + std::string(100000, '[')), HasSubstr("bad YAML: it is nested too deeply"));
  EXPECT_THAT(error_of("inputs: " + std::string(100000, '{')), HasSubstr("bad YAML: it is nested too deeply"));
  std::string stairs;
  for (int i = 0; i < 1000; ++i) stairs += std::string(i, ' ') + "a:\n";
  EXPECT_THAT(error_of(stairs), HasSubstr("bad YAML: it is nested too deeply"));
}

// Each text is either a manifest or a bad manifest with a place; nothing else comes out and nothing hangs.
TEST_F(ManifestTest, DamagedTextIsReadOrRefused) {
  const std::string whole = minimal + "tasks: {embeddings: {layers: [0, -1], mean: true}}\nrun:\n  devices: 'cpu'\n";
  int refused = 0;
  const auto check = [&](const std::string& text) {
    try {
      static_cast<void>(load(text));
    } catch (const Error& error) {
      ++refused;
      ASSERT_EQ(error.code(), ErrorCode::bad_manifest) << text;
      ASSERT_THAT(error.what(), StartsWith(file().string() + ":")) << text;
    }
  };
  for (std::size_t at = 0; at < whole.size(); ++at) {
    check(whole.substr(0, at));
    check(whole.substr(at));
    for (const char c : std::string(",]{:&*'|%\t")) check(std::string(whole).insert(at, 1, c));
  }
  EXPECT_GT(refused, 500);
}

}  // namespace
}  // namespace pleat
