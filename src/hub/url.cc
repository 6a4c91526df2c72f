#include <curl/curl.h>

#include <memory>

#include "core/error.h"
#include "core/text.h"
#include "hub/http.h"
#include "weights/strict_json.h"

namespace pleat {
namespace {

class Url {
 public:
  explicit Url(const std::string& text) : url_(curl_url(), curl_url_cleanup) { move_to(text); }

  // Follows `text`, which may be relative.
  void move_to(const std::string& text) {
    if (!url_ || curl_url_set(url_.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK || !is_http()) {
      throw Error(ErrorCode::bad_input, in_quotes(without_query(text)) + " is not an http or https address",
                  "check HF_ENDPOINT");
    }
  }

  [[nodiscard]] std::string part(CURLUPart which) const {
    char* text = nullptr;
    if (curl_url_get(url_.get(), which, &text, which == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0) != CURLUE_OK)
      return {};
    const std::unique_ptr<char, decltype(&curl_free)> owned(text, curl_free);
    return text;
  }

  [[nodiscard]] std::string origin() const {
    return lower_case(part(CURLUPART_SCHEME) + "://" + part(CURLUPART_HOST) + ":" + part(CURLUPART_PORT));
  }

 private:
  [[nodiscard]] bool is_http() const {
    const std::string scheme = part(CURLUPART_SCHEME);
    return scheme == "http" || scheme == "https";
  }

  std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url_;
};

}  // namespace

std::string resolve_redirect(const std::string& url, const std::string& location) {
  const Url from(url);
  Url to(url);
  to.move_to(location);
  if (from.part(CURLUPART_SCHEME) == "https" && to.part(CURLUPART_SCHEME) != "https") {
    throw Error(ErrorCode::bad_input, in_quotes(without_query(url)) + " redirects from https to plain http");
  }
  return to.part(CURLUPART_URL);
}

bool same_origin(const std::string& a, const std::string& b) { return Url(a).origin() == Url(b).origin(); }

std::string without_query(const std::string& url) { return url.substr(0, url.find('?')); }

}  // namespace pleat
