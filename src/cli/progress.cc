#include "cli/progress.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace pleat::cli {
namespace {

using namespace std::chrono_literals;

// Seconds until all is done if the rest goes as fast as what is done, by the cost model; -1 while nobody knows.
double seconds_left(const Progress& p) {
  return p.flops_done > 0 ? p.seconds * (p.flops - p.flops_done) / p.flops_done : -1;
}

double residues_per_second(const Progress& p) {
  return p.seconds > 0 ? static_cast<double>(p.residues_done) / p.seconds : 0;
}

std::string text_of(const Progress& p) {
  const double left = seconds_left(p);
  return fmt::format("{}/{} sequences, {:.0f} residues/s, {} left", p.sequences_done, p.sequences,
                     residues_per_second(p), left < 0 ? "?" : clock_text(left));
}

std::string json_of(const Progress& p) {
  return nlohmann::json{{"event", "progress"},      {"sequences_done", p.sequences_done},
                        {"sequences", p.sequences}, {"residues_done", p.residues_done},
                        {"residues", p.residues},   {"residues_per_second", residues_per_second(p)},
                        {"seconds", p.seconds},     {"seconds_left", seconds_left(p)}}
      .dump();
}

}  // namespace

std::string clock_text(double seconds) {
  const auto s = std::lround(seconds);
  if (s < 3600) return fmt::format("{}:{:02}", s / 60, s % 60);
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

ProgressStyle progress_style(const std::string& name) {
  if (name == "auto") return isatty(STDERR_FILENO) != 0 ? ProgressStyle::terminal : ProgressStyle::lines;
  if (name == "json") return ProgressStyle::json;
  if (name == "none") return ProgressStyle::none;
  throw Error(ErrorCode::usage, "--progress is auto, json or none, not '" + name + "'");
}

void ProgressPrinter::info(const std::string& line) {
  end_line();
  spdlog::info("{}", line);
}

void ProgressPrinter::warning(const std::string& line) {
  end_line();
  spdlog::warn("{}", line);
}

void ProgressPrinter::print_last() { info(text_of(last_)); }

void ProgressPrinter::progress(const Progress& progress) {
  last_ = progress;
  if (style_ == ProgressStyle::none) return;
  const auto now = std::chrono::steady_clock::now();
  const bool last = progress.sequences_done == progress.sequences;
  const auto pause = style_ == ProgressStyle::terminal ? 200ms : style_ == ProgressStyle::json ? 1000ms : 30000ms;
  if (progress.sequences_done == 0) {
    last_print_ = now;
    if (style_ != ProgressStyle::json) return;
  }
  if (now - last_print_ < pause && !last && progress.sequences_done > 0) return;
  last_print_ = now;
  switch (style_) {
    case ProgressStyle::terminal:
      // Erase to the end of the line, so that a shorter text leaves nothing of a longer one.
      fmt::print(stderr, "\r{}\x1b[K", text_of(progress));
      std::fflush(stderr);
      line_open_ = true;
      if (last) end_line();
      break;
    case ProgressStyle::lines: spdlog::info("{}", text_of(progress)); break;
    case ProgressStyle::json: fmt::print(stderr, "{}\n", json_of(progress)); break;
    case ProgressStyle::none: break;
  }
}

void ProgressPrinter::end_line() {
  if (!line_open_) return;
  line_open_ = false;
  fmt::print(stderr, "\n");
}

}  // namespace pleat::cli
