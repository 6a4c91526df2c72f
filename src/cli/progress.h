// How far a run has come, for people and for programs, on stderr.
#pragma once

#include <chrono>
#include <string>

#include "runtime/job.h"

namespace pleat::cli {

enum class ProgressStyle { terminal, lines, json, none };

// auto: a line that renews itself on a terminal, a plain line now and then elsewhere. Throws Error(usage).
[[nodiscard]] ProgressStyle progress_style(const std::string& name);

class ProgressPrinter : public RunObserver {
 public:
  explicit ProgressPrinter(ProgressStyle style) : style_(style) {}
  ~ProgressPrinter() override { end_line(); }

  void info(const std::string& line) override;
  void warning(const std::string& line) override;
  void progress(const Progress& progress) override;
  // Once more what was heard last, in any style.
  void print_last();

 private:
  void end_line();

  ProgressStyle style_;
  Progress last_;
  bool line_open_ = false;
  std::chrono::steady_clock::time_point last_print_;
};

// "1:02:03", or "0:45" below an hour.
[[nodiscard]] std::string clock_text(double seconds);

}  // namespace pleat::cli
