// Where a model's files lie on this machine.
#pragma once

#include <filesystem>
#include <string>

namespace pleat {

// `model` is a folder (absolute, or relative to `base`), or a registry name that is looked up in $PLEAT_MODELS
// (default /models; NAME/ or the Hugging Face cache layout) and then in the Hugging Face cache (HF_HUB_CACHE, HF_HOME,
// ~/.cache/huggingface). A folder counts only when config.json and all of the weights are there. In a cache the
// registry's revision comes first, then `main`, then other revisions that were fetched by name.
// Never touches the network.
// Throws Error(missing_input) that names the places looked at and the command that fetches the model, and
// Error(bad_input) for a given folder with a broken index.
[[nodiscard]] std::filesystem::path locate_model(const std::string& model, const std::filesystem::path& base);

}  // namespace pleat
