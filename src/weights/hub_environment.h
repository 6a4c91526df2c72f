// The environment variables and folders of the Hugging Face hub's Python client, as it reads them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace pleat {

// The value of an environment variable; nothing where it is unset or empty.
[[nodiscard]] std::optional<std::string> environment(const char* name);

// HF_HUB_CACHE, or the older HUGGINGFACE_HUB_CACHE, or $HF_HOME/hub; HF_HOME is $XDG_CACHE_HOME/huggingface or
// ~/.cache/huggingface by default. Nothing where there is no home folder either.
[[nodiscard]] std::optional<std::filesystem::path> hub_cache_folder();

// HF_ENDPOINT without its final slashes, or https://huggingface.co.
[[nodiscard]] std::string hub_endpoint();

// HF_TOKEN, or the text of the file HF_TOKEN_PATH or $HF_HOME/token; empty where there is none.
// Throws Error(usage) for a token that cannot be sent in a header.
[[nodiscard]] std::string hub_token();

// Whether HF_HUB_OFFLINE forbids the network.
[[nodiscard]] bool hub_is_offline();

// "models--facebook--esm2_t6_8M_UR50D", the folder of a repository inside a cache.
[[nodiscard]] std::string hub_folder_name(std::string_view repository);

// A full commit hash: 40 lower-case hexadecimal digits.
[[nodiscard]] bool is_commit(std::string_view text);

// Whether `text` is made of lower-case hexadecimal digits only.
[[nodiscard]] bool is_hexadecimal(std::string_view text);

}  // namespace pleat
