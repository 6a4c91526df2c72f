#include "hub/http.h"
#include "weights/model_files.h"

namespace pleat {
namespace {

TEST(Url, RedirectsAreSeenFromTheirPlace) {
  EXPECT_EQ(resolve_redirect("https://h.co/a/b", "/c?d=e"), "https://h.co/c?d=e");
  EXPECT_EQ(resolve_redirect("https://h.co/a/b", "https://cdn.co/x"), "https://cdn.co/x");
  EXPECT_EQ(resolve_redirect("https://h.co/a/b", "//cdn.co/x"), "https://cdn.co/x");
}

TEST(Url, OnlyHttpIsFollowed) {
  for (const char* const location : {"file:///etc/passwd", "ftp://h.co/x", "gopher://h.co/", "scp://h.co/x"}) {
    expect_error(ErrorCode::bad_input, "is not an http or https address",
                 [&] { return resolve_redirect("https://h.co/", location); });
  }
}

TEST(Url, HttpsIsNotLeftForHttp) {
  expect_error(ErrorCode::bad_input, "redirects from https to plain http",
               [] { return resolve_redirect("https://h.co/", "http://h.co/"); });
}

TEST(Url, OriginIsSchemeHostAndPort) {
  EXPECT_TRUE(same_origin("https://h.co/a", "https://H.CO:443/b?c"));
  EXPECT_FALSE(same_origin("https://h.co/a", "https://cdn.h.co/a"));
  EXPECT_FALSE(same_origin("https://h.co/a", "http://h.co/a"));
  EXPECT_FALSE(same_origin("http://h.co:8000/a", "http://h.co:8001/a"));
  EXPECT_FALSE(same_origin("https://h.co/", "https://h.co@evil.co/"));
}

TEST(Url, SignaturesAreNotShown) { EXPECT_EQ(without_query("https://h.co/a?Signature=s"), "https://h.co/a"); }

}  // namespace
}  // namespace pleat
