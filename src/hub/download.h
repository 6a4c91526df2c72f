// One file from the hub onto the disk, whole or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "hub/hub_client.h"
#include "hub/retry.h"

namespace pleat {

struct DownloadEvents {
  std::function<void(std::uint64_t bytes)> progress;  // bytes of the file that are on the disk
  std::function<void()> checking;
  const StopToken* stop = nullptr;  // of the checking; may be null
};

// Continues `partial` where it stopped, or begins it; checks size and hash; then renames it to `final`. Both lie in
// the same folder. Returns the bytes that came over the network.
// A file with the wrong hash is deleted: after one fresh try where the first one continued an older part, else at
// once with Error(bad_input). Throws as HubClient does, what was read being kept in `partial`, and Error(io), or
// Error(retry) for a full disk.
std::uint64_t download(HubClient& hub, const RemoteFile& remote, const std::filesystem::path& partial,
                       const std::filesystem::path& final, Retry& retry, const DownloadEvents& events);

}  // namespace pleat
