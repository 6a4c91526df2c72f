// Whether a result file is what a manifest asks for.
#pragma once

#include <filesystem>
#include <vector>

#include "manifest/manifest.h"
#include "results/check_results.h"

namespace pleat {

// Reads the manifest's inputs again and compares: every record with its name, description and residues, in the order of
// the inputs (of a shard: those of that shard), the model's name, and the datasets that the tasks ask for. The numbers
// are check_results()'s. Throws Error when the file, an input or the model's configuration cannot be read.
[[nodiscard]] std::vector<ResultProblem> check_manifest(const std::filesystem::path& file, const Manifest& manifest);

}  // namespace pleat
