#include "hub/http.h"

#include <curl/curl.h>

#include <array>
#include <charconv>
#include <exception>
#include <mutex>

#include "core/error.h"
#include "core/text.h"
#include "weights/hub_environment.h"
#include "weights/strict_json.h"

namespace pleat {
namespace {

constexpr long connect_seconds = 30;
constexpr long stalled_seconds = 60;  // without a byte
constexpr std::size_t max_headers = 200;
constexpr std::string_view blanks = " \t\r\n";

class HeaderList {
 public:
  HeaderList() = default;
  ~HeaderList() { curl_slist_free_all(list_); }
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  HeaderList(HeaderList&&) = delete;
  HeaderList& operator=(HeaderList&&) = delete;

  void add(const std::string& line) {
    curl_slist* const longer = curl_slist_append(list_, line.c_str());
    if (longer == nullptr) throw Error(ErrorCode::retry, "out of memory");
    list_ = longer;
  }
  [[nodiscard]] curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

// Faults that another try will not mend.
[[noreturn]] void fail(CURLcode code, const std::string& reason, const std::string& url) {
  const std::string shown = in_quotes(without_query(url));
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
      throw Error(ErrorCode::bad_input, shown + " is not an http or https address", "check HF_ENDPOINT");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      throw Error(ErrorCode::bad_input, "the certificate behind " + shown + " cannot be verified: " + reason,
                  "where a proxy has its own authority, name its certificates with CURL_CA_BUNDLE");
    default: throw TransientFailure("cannot read " + shown + ": " + reason);
  }
}

// libcurl calls it at least once a second; it then gives up when this is not 0.
int on_progress(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const StopToken*>(stop)->is_requested() ? 1 : 0;
}

// One request's. A handle that is used again is a danger: libcurl 7.88, which is Debian 12's, keeps a pointer to the
// last header of the answer before, and follows it where an answer begins with a folded line.
class EasyHandle {
 public:
  EasyHandle() {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    curl = curl_easy_init();
    if (curl == nullptr) throw Error(ErrorCode::retry, "libcurl cannot be started");
  }
  ~EasyHandle() { curl_easy_cleanup(curl); }
  EasyHandle(const EasyHandle&) = delete;
  EasyHandle& operator=(const EasyHandle&) = delete;
  EasyHandle(EasyHandle&&) = delete;
  EasyHandle& operator=(EasyHandle&&) = delete;

  CURL* curl = nullptr;
  std::array<char, CURL_ERROR_SIZE> error{};
};

}  // namespace

// What libcurl's callbacks fill. Exceptions wait here until libcurl has returned.
struct HttpClient::Exchange {
  HttpHead head;
  const HttpAccept* accept = nullptr;  // null for a HEAD request
  const HttpSink* sink = nullptr;
  bool asked = false;
  bool wanted = false;
  std::exception_ptr thrown;

  static std::size_t on_header(const char* data, std::size_t size, std::size_t count, void* self) {
    try {
      static_cast<Exchange*>(self)->take_header({data, size * count});
    } catch (...) {
      static_cast<Exchange*>(self)->thrown = std::current_exception();
      return 0;
    }
    return size * count;
  }

  static std::size_t on_body(const char* data, std::size_t size, std::size_t count, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    try {
      if (!exchange.is_wanted()) return 0;
      (*exchange.sink)(std::as_bytes(std::span(data, size * count)));
    } catch (...) {
      exchange.thrown = std::current_exception();
      return 0;
    }
    return size * count;
  }

  void take_header(std::string_view line) {
    if (line.starts_with("HTTP/")) {
      head = {};
      const std::size_t space = line.find(' ');
      if (space != std::string_view::npos) {
        std::from_chars(line.data() + space + 1, line.data() + line.size(), head.status);
      }
      return;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || head.headers.size() >= max_headers) return;
    head.headers[lower_case(trimmed(line.substr(0, colon), blanks))] =
        std::string(trimmed(line.substr(colon + 1), blanks));
  }

  bool is_wanted() {
    if (!asked) {
      asked = true;
      wanted = accept != nullptr && (*accept)(head);
    }
    return wanted;
  }
};

std::string HttpHead::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

void HttpClient::perform(Exchange& exchange, const HttpRequest& request) const {
  throw_if_stopped(stop_);
  EasyHandle handle;
  CURL* const curl = handle.curl;
  HeaderList headers;
  headers.add("Accept-Encoding: identity");
  if (!request.token.empty()) headers.add("Authorization: Bearer " + request.token);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, handle.error.data());
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "pleat");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, connect_seconds);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, stalled_seconds);
  curl_easy_setopt(curl, CURLOPT_NOBODY, exchange.accept == nullptr ? 1L : 0L);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &Exchange::on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Exchange::on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
  if (stop_ != nullptr) {
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, stop_);
  }
  const std::string range = std::to_string(request.from) + "-";
  if (request.from > 0) curl_easy_setopt(curl, CURLOPT_RANGE, range.c_str());
  const auto authorities = environment("CURL_CA_BUNDLE");
  if (authorities) curl_easy_setopt(curl, CURLOPT_CAINFO, authorities->c_str());

  const CURLcode code = curl_easy_perform(curl);
  if (exchange.thrown) std::rethrow_exception(exchange.thrown);
  if (code == CURLE_ABORTED_BY_CALLBACK) throw_if_stopped(stop_);
  const bool declined = exchange.asked && !exchange.wanted;
  if (code == CURLE_OK || declined) return;
  const std::string reason = handle.error[0] != '\0' ? handle.error.data() : curl_easy_strerror(code);
  fail(code, reason, request.url);
}

HttpHead HttpClient::head(const HttpRequest& request) const {
  Exchange exchange;
  perform(exchange, request);
  return exchange.head;
}

HttpHead HttpClient::get(const HttpRequest& request, const HttpAccept& accept, const HttpSink& sink) const {
  Exchange exchange;
  exchange.accept = &accept;
  exchange.sink = &sink;
  perform(exchange, request);
  // A body of no bytes never reached the callback.
  static_cast<void>(exchange.is_wanted());
  return exchange.head;
}

}  // namespace pleat
