// The descriptions made from the table of keys.
#include "manifest/schema.h"

#include <nlohmann/json.hpp>

#include "core/file.h"
#include "manifest_fixture.h"

namespace pleat {
namespace {

TEST(ManifestMarkdown, TheCommittedPageIsUpToDate) {
  EXPECT_EQ(read_text_file(PLEAT_DOCS "/manifest.md"), manifest_markdown())
      << "docs/manifest.md is stale; renew it with: build/bin/pleat schema manifest --markdown > docs/manifest.md";
}

TEST_F(ManifestTest, TheExampleOfThePageIsReadAndHoldsTheDefaults) {
  const std::string page = manifest_markdown();
  const std::string fence = "```yaml\n";
  const std::size_t begin = page.find(fence) + fence.size();
  const Manifest m = load(page.substr(begin, page.find("```", begin) - begin));
  const Manifest defaults = load(minimal);
  EXPECT_EQ(m.model, "esm2_t6_8M_UR50D");
  EXPECT_EQ(m.tasks.embeddings.layers, defaults.tasks.embeddings.layers);
  EXPECT_EQ(m.tasks.embeddings.dtype, defaults.tasks.embeddings.dtype);
  EXPECT_EQ(m.run.precision, defaults.run.precision);
  EXPECT_EQ(m.run.max_tokens_per_batch, defaults.run.max_tokens_per_batch);
  EXPECT_EQ(m.policy.fail_on, defaults.policy.fail_on);
}

TEST(ManifestJsonSchema, SaysTypesRangesAndDefaults) {
  const auto schema = nlohmann::json::parse(manifest_json_schema());
  EXPECT_EQ(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(schema["additionalProperties"], false);
  EXPECT_EQ(schema["required"], nlohmann::json::parse(R"(["version", "model", "inputs", "output"])"));
  const auto& run = schema["properties"]["run"];
  EXPECT_EQ(run["additionalProperties"], false);
  const auto& length = schema["properties"]["policy"]["properties"]["max_length"];
  EXPECT_EQ(length["minimum"], 0);
  EXPECT_EQ(length["default"], 0);
  EXPECT_EQ(run["properties"]["max_tokens_per_batch"]["default"], "auto");
  EXPECT_EQ(run["properties"]["max_tokens_per_batch"]["anyOf"][1]["maximum"], 1048576);
  const auto& embeddings = schema["properties"]["tasks"]["properties"]["embeddings"]["anyOf"];
  EXPECT_EQ(embeddings[0]["type"], "boolean");
  EXPECT_EQ(embeddings[1]["additionalProperties"], false);
  EXPECT_EQ(embeddings[1]["properties"]["layers"]["default"], nlohmann::json::parse("[-1]"));
  EXPECT_EQ(embeddings[1]["properties"]["dtype"]["enum"], nlohmann::json::parse(R"(["float16", "float32"])"));
  const auto& structure = schema["properties"]["tasks"]["properties"]["structure"]["anyOf"][1]["properties"];
  EXPECT_EQ(structure["recycle_tolerance"]["type"], "number");
  EXPECT_EQ(structure["recycle_tolerance"]["minimum"], 0);
  EXPECT_EQ(structure["recycle_tolerance"]["default"], 0);
  EXPECT_EQ(structure["formats"]["default"], nlohmann::json::array());
  EXPECT_EQ(structure["formats"]["anyOf"][0], nlohmann::json::parse(R"({"enum": ["pdb", "cif"]})"));
  EXPECT_EQ(structure["chain_linker"]["maximum"], 1000);
}

// Every property has words for people, and every default is a value that load_manifest() takes.
void check_properties(const nlohmann::json& map, const std::string& section, std::vector<std::string>& defaults) {
  for (const auto& [name, property] : map["properties"].items()) {
    const std::string path = section.empty() ? name : section + "." + name;
    EXPECT_FALSE(property.value("description", "").empty()) << path;
    if (property.contains("default")) defaults.push_back(path + "=" + property["default"].dump());
    if (property.contains("properties")) check_properties(property, path, defaults);
    for (const auto& option : property.value("anyOf", nlohmann::json::array())) {
      if (option.contains("properties")) check_properties(option, path, defaults);
    }
  }
}

TEST_F(ManifestTest, EveryDefaultOfTheSchemaIsAValueOfItsKey) {
  std::vector<std::string> defaults;
  check_properties(nlohmann::json::parse(manifest_json_schema()), "", defaults);
  EXPECT_EQ(defaults.size(), 36U);
  EXPECT_NO_THROW(static_cast<void>(load(minimal, defaults)));
}

}  // namespace
}  // namespace pleat
