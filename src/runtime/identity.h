// What of a run must be the same for another one to resume its results.
#pragma once

#include "journal/run_identity.h"
#include "manifest/manifest.h"
#include "runtime/prepare.h"

namespace pleat {

// The name of what the first of several runs settles.
inline constexpr const char* settled_created_utc = "created_utc";
// precision_name() of what `auto` came to: a run may resume on devices of another kind.
inline constexpr const char* settled_precision = "precision";

// What decides the numbers of a sequence but itself and the weights, whose hash is known later. What is not in it, such
// as the devices and the size of batches, may differ. `pleat` is the program's version.
[[nodiscard]] NamedValues task_of(const Manifest& manifest, const PreparedJob& job, const std::string& pleat);

// task_of(), the inputs, and the weights by Checkpoint::sample().
[[nodiscard]] RunIdentity identity_of(const Manifest& manifest, const PreparedJob& job, const std::string& pleat,
                                      const std::string& weights, const std::string& created_utc);

}  // namespace pleat
