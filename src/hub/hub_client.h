// The hub's file protocol: what a file of a repository is, and its bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hub/http.h"

namespace pleat {

// A file as the hub describes it.
struct RemoteFile {
  std::string name;
  std::string url;
  std::string commit;                 // of the repository
  std::string hash;                   // 64 hexadecimal digits: SHA-256; 40: the git blob's SHA-1
  std::optional<std::uint64_t> size;  // where the server says
};

class HubClient {
 public:
  // `endpoint` and `token` as hub_endpoint() and hub_token() give them. `stop` may be null and must outlive the client.
  HubClient(std::string endpoint, std::string token, std::string repository, const StopToken* stop = nullptr);

  // Asks for a file's description; nothing where the repository has no such file at that revision.
  // Throws TransientFailure; Stopped; Error(missing_input) where the repository or revision is not there or not open to
  // this token; Error(bad_input) for an answer that is not the hub's.
  [[nodiscard]] std::optional<RemoteFile> describe(const std::string& revision, const std::string& file);

  // Reads the file from byte `from` on, over redirects to wherever the bytes lie. `begin` is called before the first
  // byte with the place that the server really starts at: `from`, or 0 where it cannot start elsewhere.
  // The token goes to the endpoint only. Throws TransientFailure, Stopped, Error.
  void read(const RemoteFile& file, std::uint64_t from, const std::function<void(std::uint64_t)>& begin,
            const HttpSink& sink);

 private:
  [[nodiscard]] std::string token_for(const std::string& url) const;
  [[noreturn]] void refuse(const HttpHead& head, const std::string& url) const;

  std::string endpoint_;
  std::string token_;
  std::string repository_;
  HttpClient http_;
};

}  // namespace pleat
