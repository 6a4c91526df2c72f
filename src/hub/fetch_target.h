// Where fetched files go: the Hugging Face cache, or a folder of plain files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "hub/hub_client.h"
#include "hub/retry.h"

namespace pleat {

struct FetchEvents {
  std::function<void()> waiting;  // for another process that fetches the same
  std::function<void(std::uint64_t bytes)> progress;
  std::function<void()> checking;
  const StopToken* stop = nullptr;  // may be null
};

class FetchTarget {
 public:
  FetchTarget() = default;
  virtual ~FetchTarget() = default;
  FetchTarget(const FetchTarget&) = delete;
  FetchTarget& operator=(const FetchTarget&) = delete;
  FetchTarget(FetchTarget&&) = delete;
  FetchTarget& operator=(FetchTarget&&) = delete;

  // Downloads the file unless it is there. Returns the bytes that came over the network; nothing where it was there.
  virtual std::optional<std::uint64_t> get(HubClient& hub, const RemoteFile& file, Retry& retry,
                                           const FetchEvents& events) = 0;
  // All files are there.
  virtual void finish(const std::string& revision) = 0;
  // The folder that holds the files under their names.
  [[nodiscard]] virtual const std::filesystem::path& folder() const = 0;
};

// With an empty `output` the Hugging Face cache. Makes the folders. Throws Error(cannot_create).
[[nodiscard]] std::unique_ptr<FetchTarget> make_fetch_target(const std::string& repository, const std::string& commit,
                                                             const std::filesystem::path& output);

}  // namespace pleat
