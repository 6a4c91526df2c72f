#include "hub/hub_client.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "core/ascii.h"
#include "core/error.h"
#include "weights/hub_environment.h"
#include "weights/strict_json.h"

namespace pleat {
namespace {

constexpr int max_redirects = 10;
constexpr long longest_wait_seconds = 60;

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// W/"abc" or "abc" -> abc
std::string plain_etag(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.starts_with('"')) etag.remove_prefix(1);
  if (etag.ends_with('"')) etag.remove_suffix(1);
  return std::string(etag);
}

// One segment of an address: a revision such as refs/pr/4 must not look like folders.
std::string escaped(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string result;
  for (const char letter : text) {
    const bool plain = is_letter(letter) || is_digit(letter) || letter == '-' || letter == '_' || letter == '.';
    if (plain) {
      result += letter;
    } else {
      const auto byte = static_cast<unsigned char>(letter);
      result += '%';
      result += digits[byte >> 4];
      result += digits[byte & 15];
    }
  }
  return result;
}

// The start in "Content-Range: bytes 100-199/200"; nothing where there is none.
std::optional<std::uint64_t> range_start(std::string_view text) {
  constexpr std::string_view unit = "bytes ";
  if (!text.starts_with(unit)) return std::nullopt;
  text.remove_prefix(unit.size());
  return number_in(text.substr(0, text.find('-')));
}

bool is_transient(long status) { return status == 408 || status == 429 || status >= 500; }

void check_transient(const HttpHead& head, const std::string& url) {
  if (!is_transient(head.status)) return;
  const std::uint64_t asked = number_in(head.header("retry-after")).value_or(0);
  throw TransientFailure(in_quotes(without_query(url)) + " answers with status " + std::to_string(head.status),
                         static_cast<long>(std::min<std::uint64_t>(asked, longest_wait_seconds)));
}

// The description out of the headers of all hops on the hub's own host.
RemoteFile remote_file(const std::map<std::string, std::string>& headers, const HttpHead& last, const std::string& url,
                       const std::string& file) {
  const auto header = [&headers](const char* name) {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  };
  RemoteFile remote{.name = file, .url = url, .commit = header("x-repo-commit"), .hash = {}, .size = {}};
  const std::string linked = header("x-linked-etag");
  remote.hash = plain_etag(linked.empty() ? last.header("etag") : linked);
  remote.size = number_in(header("x-linked-size"));
  if (!remote.size && !last.is_redirect()) remote.size = number_in(last.header("content-length"));
  const bool hashed = (remote.hash.size() == 40 || remote.hash.size() == 64) && is_hexadecimal(remote.hash);
  if (!is_commit(remote.commit) || !hashed) {
    throw Error(ErrorCode::bad_input,
                "the answer for " + in_quotes(url) + " does not name the commit and the file's hash, as the hub's does",
                "check HF_ENDPOINT and https_proxy");
  }
  return remote;
}

}  // namespace

HubClient::HubClient(std::string endpoint, std::string token, std::string repository, const StopToken* stop)
    : endpoint_(std::move(endpoint)), token_(std::move(token)), repository_(std::move(repository)), http_(stop) {}

std::string HubClient::token_for(const std::string& url) const {
  return same_origin(url, endpoint_) ? token_ : std::string();
}

void HubClient::refuse(const HttpHead& head, const std::string& url) const {
  const std::string shown = in_quotes(without_query(url));
  const std::string code = head.header("x-error-code");
  if (head.status == 404) {
    const std::string missing = code == "RevisionNotFound" ? "such revision" : "such file or repository";
    throw Error(ErrorCode::missing_input, "the hub knows no " + missing + ": " + shown,
                "check --revision and HF_ENDPOINT");
  }
  if (head.status == 401 || head.status == 403) {
    const bool gated = code == "GatedRepo";
    throw Error(ErrorCode::missing_input,
                "the hub denies access (status " + std::to_string(head.status) + ") to " + shown,
                gated ? "accept the conditions on " + endpoint_ + "/" + repository_ + ", then set HF_TOKEN"
                      : (token_.empty() ? "set HF_TOKEN to an access token that may read this repository"
                                        : "the token in HF_TOKEN, or in $HF_HOME/token, may not read this repository"));
  }
  throw Error(ErrorCode::bad_input, shown + " answers with status " + std::to_string(head.status),
              "check HF_ENDPOINT and https_proxy");
}

std::optional<RemoteFile> HubClient::describe(const std::string& revision, const std::string& file) {
  const std::string start = endpoint_ + "/" + repository_ + "/resolve/" + escaped(revision) + "/" + escaped(file);
  std::string url = start;
  std::map<std::string, std::string> headers;
  for (int hop = 0; hop <= max_redirects; ++hop) {
    const HttpHead head = http_.head({.url = url, .token = token_for(url)});
    for (const auto& [name, value] : head.headers) headers[name] = value;
    check_transient(head, url);
    if (head.is_redirect()) {
      // A step to another host leads to the bytes; the description is complete.
      const std::string next = resolve_redirect(url, head.header("location"));
      if (!same_origin(next, endpoint_)) return remote_file(headers, head, start, file);
      url = next;
      continue;
    }
    if (head.status == 200) return remote_file(headers, head, start, file);
    const std::string code = head.header("x-error-code");
    if (head.status == 404 && (code.empty() || code == "EntryNotFound")) return std::nullopt;
    refuse(head, url);
  }
  throw Error(ErrorCode::bad_input, in_quotes(start) + " redirects without end", "check HF_ENDPOINT and https_proxy");
}

void HubClient::read(const RemoteFile& file, std::uint64_t from, const std::function<void(std::uint64_t)>& begin,
                     const HttpSink& sink) {
  std::string url = file.url;
  for (int hop = 0; hop <= max_redirects; ++hop) {
    const auto accept = [&](const HttpHead& head) {
      if (head.status == 206 && range_start(head.header("content-range")) == from) {
        begin(from);
        return true;
      }
      if (head.status == 200) begin(0);
      return head.status == 200;
    };
    const HttpHead head = http_.get({.url = url, .token = token_for(url), .from = from}, accept, sink);
    check_transient(head, url);
    if (head.is_redirect()) {
      url = resolve_redirect(url, head.header("location"));
    } else if (head.status >= 400 && head.status != 416 && !same_origin(url, endpoint_)) {
      // Addresses of bytes elsewhere are signed and expire; the hub gives a new one.
      throw TransientFailure(in_quotes(without_query(url)) + " answers with status " + std::to_string(head.status));
    } else if (head.status == 416 || head.status == 206) {
      // Either the body has been read, or the server cannot continue where this side stopped.
      if (head.status == 206 && range_start(head.header("content-range")) == from) return;
      begin(0);
      from = 0;
      url = file.url;
    } else if (head.status == 200) {
      return;
    } else {
      refuse(head, url);
    }
  }
  throw Error(ErrorCode::bad_input, in_quotes(file.url) + " redirects without end",
              "check HF_ENDPOINT and https_proxy");
}

}  // namespace pleat
