#include "cli/log.h"

#include <fmt/chrono.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace pleat::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(spdlog::string_view_t view) { return {view.data(), view.size()}; }

// spdlog's patterns escape nothing, and a message may hold quotes, line breaks and bytes that are not UTF-8.
class JsonFormatter : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) override {
    const std::time_t time = std::chrono::system_clock::to_time_t(message.time);
    const Json json = {{"time", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(time))},
                       {"level", text_of(spdlog::level::to_string_view(message.level))},
                       {"message", text_of(message.payload)}};
    const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    line.append(text.data(), text.data() + text.size());
  }

  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<JsonFormatter>(); }
};

}  // namespace

void set_log_format(LogFormat format) {
  if (format == LogFormat::json) {
    spdlog::set_formatter(std::make_unique<JsonFormatter>());
  } else {
    spdlog::set_pattern("%Y-%m-%d %H:%M:%S %l: %v");
  }
}

}  // namespace pleat::cli
