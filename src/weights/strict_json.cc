#include "weights/strict_json.h"

#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "core/printable.h"

namespace pleat {
namespace {

using nlohmann::json;

// Follows the parser from token to token; the parser itself keeps no more than one bit a level on its stack.
class Watcher {
 public:
  explicit Watcher(const std::string& origin) : origin_(origin) {}

  bool operator()(int depth, json::parse_event_t event, const json& value) {
    switch (event) {
      case json::parse_event_t::object_start: names_.emplace_back(); [[fallthrough]];
      case json::parse_event_t::array_start:
        if (depth >= max_json_depth) {
          throw Error(ErrorCode::bad_input,
                      origin_ + ": JSON nested more than " + std::to_string(max_json_depth) + " levels deep");
        }
        break;
      case json::parse_event_t::object_end: names_.pop_back(); break;
      case json::parse_event_t::key: remember(value.get_ref<const std::string&>()); break;
      case json::parse_event_t::array_end:
      case json::parse_event_t::value: break;
    }
    return true;
  }

 private:
  void remember(const std::string& name) {
    if (!names_.back().insert(name).second) {
      throw Error(ErrorCode::bad_input, origin_ + ": " + in_quotes(name) + " is given twice");
    }
  }

  const std::string& origin_;
  std::vector<std::set<std::string>> names_;  // of the objects around the current token
};

// nlohmann's messages begin with "[json.exception.parse_error.101] "; what follows is for people.
std::string plain_reason(const json::exception& error) {
  const std::string_view text = error.what();
  const std::size_t end = text.find("] ");
  return in_quotes(end == std::string_view::npos ? text : text.substr(end + 2));
}

}  // namespace

nlohmann::json parse_strict_json(std::string_view text, const std::string& origin) {
  try {
    Watcher watcher(origin);
    return json::parse(text, [&watcher](int depth, json::parse_event_t event, const json& value) {
      return watcher(depth, event, value);
    });
  } catch (const json::exception& error) {
    throw Error(ErrorCode::bad_input, origin + ": not valid JSON: " + plain_reason(error));
  }
}

std::string read_small_text_file(const std::filesystem::path& file, std::uint64_t max_bytes) {
  std::error_code unreadable;
  const std::uintmax_t size = std::filesystem::file_size(file, unreadable);
  if (!unreadable && size > max_bytes) {
    throw Error(ErrorCode::bad_input, "'" + file.string() + "' has " + std::to_string(size) +
                                          " bytes, far more than such a file needs (at most " +
                                          std::to_string(max_bytes) + ")");
  }
  return read_text_file(file);
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 120;
  return "'" + printable(text, longest) + "'";
}

}  // namespace pleat
