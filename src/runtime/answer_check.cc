#include "runtime/answer_check.h"

#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <variant>

#include "core/error.h"
#include "esm2/tokenizer.h"
#include "esmfold/geometry.h"
#include "esmfold/model.h"
#include "machine/devices.h"
#include "machine/precision.h"
#include "weights/locate.h"

namespace pleat {
namespace {

using Values = std::vector<std::vector<double>>;

// A model on one device, asked one sequence at a time.
class Respondent {
 public:
  Respondent(const std::filesystem::path& folder, Precision precision, at::Device device)
      : device_(device),
        config_(load_model_config(folder)),
        tokenizer_(config_.language_model, config_.fold ? Tokenizer::esmfold_letters : Tokenizer::esm2_letters),
        model_(load(Checkpoint::open(folder), element_type(precision))) {}

  [[nodiscard]] Values answer(const KnownAnswer& asked) const {
    if (asked.quantity == AnswerQuantity::last_layer) return last_layer(asked);
    const EsmFold* const model = std::get_if<EsmFold>(&model_);
    if (model == nullptr) {
      throw Error(ErrorCode::bad_input, "known answers: a language model has no " + describe(asked));
    }
    return fold(*model, asked);
  }

 private:
  using Model = std::variant<Esm2, EsmFold>;

  [[nodiscard]] Model load(const Checkpoint& checkpoint, at::ScalarType type) const {
    if (config_.fold) return EsmFold(checkpoint, config_.language_model, *config_.fold, type, device_);
    return Esm2(checkpoint, config_.language_model, type, {}, {}, device_);
  }

  [[nodiscard]] const Esm2& language_model() const {
    const EsmFold* const model = std::get_if<EsmFold>(&model_);
    return model != nullptr ? model->language_model() : std::get<Esm2>(model_);
  }

  [[nodiscard]] static std::vector<std::uint16_t> one_chain(const KnownAnswer& asked) {
    return std::vector<std::uint16_t>(asked.sequence.size(), 0);
  }

  [[nodiscard]] PackedBatch pack(const KnownAnswer& asked) const {
    SequenceTable sequences;
    sequences.append(asked.sequence, one_chain(asked));
    return tokenizer_.pack(sequences, {0});
  }

  [[nodiscard]] Values last_layer(const KnownAnswer& asked) const {
    const Esm2Output output =
        language_model().forward(pack(asked), {.layers = {config_.language_model.num_hidden_layers}});
    const at::Tensor hidden = output.hidden.front().cpu();  // [T, D]
    if (std::cmp_greater(asked.values.front().size(), hidden.size(1))) {
      throw Error(ErrorCode::bad_input, "known answers: the model is narrower than a row of " + describe(asked));
    }
    Values values = asked.values;
    for (std::size_t token = 0; token < values.size(); ++token) {
      for (std::size_t column = 0; column < values[token].size(); ++column) {
        values[token][column] =
            hidden[static_cast<std::int64_t>(token)][static_cast<std::int64_t>(column)].item<double>();
      }
    }
    return values;
  }

  [[nodiscard]] Values fold(const EsmFold& model, const KnownAnswer& asked) const {
    const PackedBatch batch = pack(asked);
    const Esm2Output output = model.language_model().forward(batch, {.layers = {}, .mix = model.mix()});
    const at::Tensor states = output.mixed.slice(0, 1, batch.cu_seqlens[1] - 1);  // [P, D]
    const FoldInput input = make_fold_input(asked.sequence, one_chain(asked), {});
    FoldRequest request;
    request.num_recycles = asked.passes - 1;
    request.pae = false;
    const std::string wanted = fmt::format("pass.{}.structure.0.frames", asked.passes - 1);
    at::Tensor frames;  // [P, 7] quaternions and translations in ångström
    const FoldOutput folded = model.fold(states, input, request, [&](std::string_view name, const at::Tensor& value) {
      if (name == wanted) frames = value.clone();
    });
    if (asked.quantity == AnswerQuantity::mean_plddt) return {{folded.mean_plddt}};
    const Rigid rigid = Rigid::from_quaternions(frames.slice(1, 0, 4), frames.slice(1, 4, 7));
    const at::Tensor aatype = at::tensor(input.aatype, at::kLong).to(device_);
    const at::Tensor nitrogen = backbone_atoms(rigid, aatype)[0][0].cpu();  // [3]
    return {{nitrogen[0].item<double>(), nitrogen[1].item<double>(), nitrogen[2].item<double>()}};
  }

  at::Device device_;
  ModelConfig config_;
  Tokenizer tokenizer_;
  Model model_;
};

double largest_difference(const Values& computed, const Values& known) {
  double largest = 0;
  for (std::size_t row = 0; row < known.size(); ++row) {
    for (std::size_t column = 0; column < known[row].size(); ++column) {
      const double difference = std::abs(computed[row][column] - known[row][column]);
      if (std::isnan(difference)) return difference;
      largest = std::max(largest, difference);
    }
  }
  return largest;
}

double bound_of(const KnownAnswer& answer, const std::string& precision) {
  const auto found = answer.bounds.find(precision);
  if (found != answer.bounds.end()) return found->second;
  throw Error(ErrorCode::bad_input, fmt::format("known answers: {} has no bound for {}", describe(answer), precision),
              "compute it in another precision: --precision fp32");
}

}  // namespace

bool AnswerReport::holds() const { return std::ranges::all_of(checks, &AnswerCheck::holds); }

AnswerReport check_answers(const std::filesystem::path& folder, const std::vector<KnownAnswer>& answers,
                           const std::string& devices, Precision precision) {
  const DeviceChoice choice = choose_devices(devices);
  const Precision resolved = resolve_precision(precision, choice);
  AnswerReport report{.device = place_of(choice, 0).name, .precision = precision_name(resolved), .checks = {}};
  allow_tf32(resolved);
  const at::Device device = choice.on_gpu()
                                ? at::Device(at::kCUDA, static_cast<at::DeviceIndex>(choice.gpus.front().number))
                                : at::Device(at::kCPU);
  const c10::OptionalDeviceGuard guard(device.is_cpu() ? std::nullopt : std::optional(device));
  const c10::InferenceMode inference;
  const Respondent respondent(folder, resolved, device);
  for (const KnownAnswer& answer : answers) {
    const double bound = bound_of(answer, report.precision);
    report.checks.push_back({.answer = answer,
                             .unit = answer.quantity == AnswerQuantity::first_block_nitrogen ? " Å" : "",
                             .difference = largest_difference(respondent.answer(answer), answer.values),
                             .bound = bound});
  }
  return report;
}

std::string describe(const AnswerCheck& check) {
  const std::string distance = std::isnan(check.difference)
                                   ? "NaN"
                                   : fmt::format("{:.2g}{} from the known numbers", check.difference, check.unit);
  return fmt::format("{}: {}, {:g}{} allowed: {}", describe(check.answer), distance, check.bound, check.unit,
                     check.holds() ? "ok" : "TOO FAR");
}

Finding examine_model(const std::string& model, const std::string& devices) {
  Finding finding;
  finding.subject = "model";
  try {
    const std::filesystem::path folder = locate_model(model, std::filesystem::current_path());
    const std::vector<KnownAnswer> answers = known_answers(model, folder);
    finding.text = folder.string();
    if (answers.empty()) {
      finding.text += ": there are no known answers for it, so nothing was computed";
      return finding;
    }
    const AnswerReport report = check_answers(folder, answers, devices, Precision::automatic);
    finding.text += fmt::format(", {} on {}", report.precision, report.device);
    for (const AnswerCheck& check : report.checks) finding.text += "; " + describe(check);
    if (report.holds()) return finding;
    finding.code = ErrorCode::bad_input;
    finding.advice = fmt::format(
        "check the files: pleat model verify {}; then compare with the processor: pleat model "
        "verify {} --compute --devices cpu --precision fp32",
        model, model);
  } catch (const Error& error) {
    finding.text = error.what();
    finding.advice = error.hint();
    finding.code = error.code();
  } catch (const std::exception& error) {
    finding.text = error.what();
    finding.code = ErrorCode::internal;
  }
  finding.health = Health::fault;
  return finding;
}

}  // namespace pleat
