// One HTTP exchange over libcurl: no redirects, no retries; those belong to the caller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/stop.h"

namespace pleat {

// A failure that may go away: no connection, a cut one, a busy server.
class TransientFailure : public std::runtime_error {
 public:
  explicit TransientFailure(const std::string& what, long wait_seconds = 0)
      : std::runtime_error(what), wait_seconds_(wait_seconds) {}
  // What the server asked for (Retry-After); 0 where it did not.
  [[nodiscard]] long wait_seconds() const noexcept { return wait_seconds_; }

 private:
  long wait_seconds_;
};

struct HttpHead {
  long status = 0;
  std::map<std::string, std::string> headers;  // names in lower case

  // Empty where there is no such header.
  [[nodiscard]] std::string header(const std::string& name) const;
  [[nodiscard]] bool is_redirect() const { return status >= 300 && status < 400 && headers.contains("location"); }
};

struct HttpRequest {
  std::string url;
  std::string token;       // sent as "Authorization: Bearer"; empty for none
  std::uint64_t from = 0;  // asks for the bytes from here on, where not 0
};

// Decides from the head whether the body is wanted; a body that is not wanted is not read.
using HttpAccept = std::function<bool(const HttpHead&)>;
using HttpSink = std::function<void(std::span<const std::byte>)>;

class HttpClient {
 public:
  // `stop` may be null and must outlive the client.
  explicit HttpClient(const StopToken* stop = nullptr) : stop_(stop) {}

  // Both throw TransientFailure, Stopped within about a second, and Error for an address or certificate that will not
  // get better.
  // What `accept` and `sink` throw comes out of get().
  [[nodiscard]] HttpHead head(const HttpRequest& request) const;
  // NOLINTNEXTLINE(modernize-use-nodiscard): what counts is the body, which the sink gets.
  HttpHead get(const HttpRequest& request, const HttpAccept& accept, const HttpSink& sink) const;

 private:
  struct Exchange;
  void perform(Exchange& exchange, const HttpRequest& request) const;
  const StopToken* stop_;
};

// `location` as seen from `url`. Throws Error(bad_input) for anything but http and https, and for a step from https
// down to http.
[[nodiscard]] std::string resolve_redirect(const std::string& url, const std::string& location);

// Whether two addresses have the same scheme, host and port.
[[nodiscard]] bool same_origin(const std::string& a, const std::string& b);

// The address without its query, which may hold a signature.
[[nodiscard]] std::string without_query(const std::string& url);

}  // namespace pleat
