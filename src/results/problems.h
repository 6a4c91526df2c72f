// What a check has found, one entry for each kind of problem.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "results/check_results.h"

namespace pleat {

class Problems {
 public:
  // `kind` tells cases of one sort from others at the same place; the first one's words are kept.
  void add(const std::string& place, const std::string& kind, const std::string& what) {
    for (auto& [known, problem] : found_) {
      if (known != kind || problem.place != place) continue;
      ++problem.count;
      return;
    }
    found_.emplace_back(kind, ResultProblem{place, what, 1});
  }

  [[nodiscard]] std::vector<ResultProblem> list() const {
    std::vector<ResultProblem> problems;
    problems.reserve(found_.size());
    for (const auto& entry : found_) problems.push_back(entry.second);
    return problems;
  }

 private:
  std::vector<std::pair<std::string, ResultProblem>> found_;
};

}  // namespace pleat
