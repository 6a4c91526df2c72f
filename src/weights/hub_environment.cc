#include "weights/hub_environment.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/ascii.h"
#include "core/error.h"
#include "core/text.h"
#include "weights/strict_json.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;

// A leading "~" stands for the home folder.
fs::path expanded(const std::string& text) {
  const std::optional<std::string> home = environment("HOME");
  if (home && (text == "~" || text.starts_with("~/"))) return *home + text.substr(1);
  return text;
}

std::optional<fs::path> hub_home() {
  if (const auto folder = environment("HF_HOME")) return expanded(*folder);
  if (const auto folder = environment("XDG_CACHE_HOME")) return expanded(*folder) / "huggingface";
  if (const auto folder = environment("HOME")) return fs::path(*folder) / ".cache" / "huggingface";
  return std::nullopt;
}

std::string token_text() {
  for (const char* const name : {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}) {
    if (const auto token = environment(name)) return *token;
  }
  std::optional<fs::path> file = hub_home();
  if (file) *file /= "token";
  if (const auto path = environment("HF_TOKEN_PATH")) file = expanded(*path);
  std::error_code ignored;
  if (!file || !fs::is_regular_file(*file, ignored)) return {};
  return read_small_text_file(*file, 10'000);
}

}  // namespace

std::optional<std::string> environment(const char* name) {
  // The environment is only read, and no thread of this program changes it.
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

std::optional<fs::path> hub_cache_folder() {
  for (const char* const name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {
    if (const auto folder = environment(name)) return expanded(*folder);
  }
  std::optional<fs::path> home = hub_home();
  if (home) *home /= "hub";
  return home;
}

std::string hub_endpoint() {
  std::string endpoint = environment("HF_ENDPOINT").value_or("https://huggingface.co");
  while (endpoint.ends_with('/')) endpoint.pop_back();
  return endpoint;
}

std::string hub_token() {
  std::string token(trimmed(token_text(), " \t\r\n"));
  const bool sendable = std::ranges::all_of(token, [](char letter) { return letter > ' ' && letter < 0x7f; });
  if (!sendable) {
    throw Error(ErrorCode::usage, "the hub's access token holds characters that no token has",
                "look at HF_TOKEN and the file named by HF_TOKEN_PATH");
  }
  return token;
}

bool hub_is_offline() {
  std::string value = environment("HF_HUB_OFFLINE").value_or("");
  std::ranges::transform(value, value.begin(), to_upper);
  constexpr std::array<std::string_view, 4> yes{"1", "ON", "YES", "TRUE"};
  return std::ranges::find(yes, value) != yes.end();
}

std::string hub_folder_name(std::string_view repository) {
  std::string name = "models--";
  for (const char letter : repository) {
    if (letter == '/') {
      name += "--";
    } else {
      name += letter;
    }
  }
  return name;
}

bool is_hexadecimal(std::string_view text) {
  return std::ranges::all_of(text, [](char letter) { return is_digit(letter) || (letter >= 'a' && letter <= 'f'); });
}

bool is_commit(std::string_view text) { return text.size() == 40 && is_hexadecimal(text); }

}  // namespace pleat
