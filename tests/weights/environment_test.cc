#include "environment_variables.h"
#include "model_files.h"
#include "weights/hub_environment.h"

namespace pleat {
namespace {

TEST(HubEnvironment, CacheFolderFollowsTheVariables) {
  const EnvironmentVariables variables;
  EXPECT_FALSE(hub_cache_folder());
  EnvironmentVariables::set("HOME", "/home/x");
  EXPECT_EQ(hub_cache_folder(), "/home/x/.cache/huggingface/hub");
  EnvironmentVariables::set("XDG_CACHE_HOME", "/xdg");
  EXPECT_EQ(hub_cache_folder(), "/xdg/huggingface/hub");
  EnvironmentVariables::set("HF_HOME", "~/hf");
  EXPECT_EQ(hub_cache_folder(), "/home/x/hf/hub");
  EnvironmentVariables::set("HUGGINGFACE_HUB_CACHE", "/old");
  EXPECT_EQ(hub_cache_folder(), "/old");
  EnvironmentVariables::set("HF_HUB_CACHE", "/new");
  EXPECT_EQ(hub_cache_folder(), "/new");
}

TEST(HubEnvironment, EndpointLosesItsFinalSlash) {
  const EnvironmentVariables variables;
  EXPECT_EQ(hub_endpoint(), "https://huggingface.co");
  EnvironmentVariables::set("HF_ENDPOINT", "http://mirror:8080/hub/");
  EXPECT_EQ(hub_endpoint(), "http://mirror:8080/hub");
}

TEST(HubEnvironment, TokenComesFromTheVariableOrAFile) {
  const EnvironmentVariables variables;
  const ScratchFolder home;
  EXPECT_EQ(hub_token(), "");
  EnvironmentVariables::set("HF_HOME", home.path().string());
  EXPECT_EQ(hub_token(), "");
  write_file(home.path() / "token", "hf_file\n");
  EXPECT_EQ(hub_token(), "hf_file");
  EnvironmentVariables::set("HF_TOKEN_PATH", home.write("other", " hf_other \n"));
  EXPECT_EQ(hub_token(), "hf_other");
  EnvironmentVariables::set("HF_TOKEN", "hf_variable");
  EXPECT_EQ(hub_token(), "hf_variable");
}

TEST(HubEnvironment, ATokenCannotSmuggleAHeader) {
  const EnvironmentVariables variables;
  EnvironmentVariables::set("HF_TOKEN", "abc\r\nX-Evil: 1");
  const std::string message =
      expect_error(ErrorCode::usage, "characters that no token has", [] { return hub_token(); });
  EXPECT_THAT(message, testing::Not(testing::HasSubstr("abc")));
}

TEST(HubEnvironment, OfflineIsReadAsPythonReadsIt) {
  const EnvironmentVariables variables;
  EXPECT_FALSE(hub_is_offline());
  for (const char* const yes : {"1", "on", "YES", "True"}) {
    EnvironmentVariables::set("HF_HUB_OFFLINE", yes);
    EXPECT_TRUE(hub_is_offline()) << yes;
  }
  for (const char* const no : {"0", "off", "no", "false"}) {
    EnvironmentVariables::set("HF_HUB_OFFLINE", no);
    EXPECT_FALSE(hub_is_offline()) << no;
  }
}

TEST(HubEnvironment, NamesOfFoldersAndCommits) {
  EXPECT_EQ(hub_folder_name("facebook/esm2_t6_8M_UR50D"), "models--facebook--esm2_t6_8M_UR50D");
  EXPECT_TRUE(is_commit("c731040fcd8d73dceaa04b0a8e6329b345b0f5df"));
  EXPECT_FALSE(is_commit("main"));
  EXPECT_FALSE(is_commit("C731040fcd8d73dceaa04b0a8e6329b345b0f5df"));
  EXPECT_FALSE(is_commit("../../../../../../../../../../etc/passwd/"));
}

}  // namespace
}  // namespace pleat
