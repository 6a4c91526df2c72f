// What this machine computes with a model, beside what is published of it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "machine/doctor.h"
#include "manifest/manifest.h"
#include "weights/known_answers.h"

namespace pleat {

struct AnswerCheck {
  KnownAnswer answer;
  std::string unit;       // "Å", or empty
  double difference = 0;  // the largest over the answer's numbers; NaN where a computed one is no number
  double bound = 0;
  [[nodiscard]] bool holds() const { return difference <= bound; }
};

struct AnswerReport {
  std::string device;     // "cpu:0", "cuda:0"
  std::string precision;  // as files name it
  std::vector<AnswerCheck> checks;
  [[nodiscard]] bool holds() const;
};

// Computes each answer on the first of `devices` (as run.devices) in `precision`, which may be `automatic`. Loads all
// weights for it. Throws Error(no_device), Error(missing_input) and Error(bad_input) as a run does, and
// Error(bad_input) for an answer that the model cannot give.
[[nodiscard]] AnswerReport check_answers(const std::filesystem::path& folder, const std::vector<KnownAnswer>& answers,
                                         const std::string& devices, Precision precision);

// "last layer of GLDALQITV: 2.1e-05 from the published numbers, 0.0001 are allowed (source)"
[[nodiscard]] std::string describe(const AnswerCheck& check);

// For pleat doctor: whether the model is here, and how it answers on these devices. Throws nothing.
[[nodiscard]] Finding examine_model(const std::string& model, const std::string& devices);

}  // namespace pleat
