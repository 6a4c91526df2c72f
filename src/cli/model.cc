#include <fmt/core.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/errors.h"
#include "cli/signals.h"
#include "core/error.h"
#include "core/size_text.h"
#include "hub/fetch.h"
#include "manifest/keys.h"
#include "runtime/answer_check.h"
#include "weights/known_answers.h"
#include "weights/locate.h"
#include "weights/registry.h"
#include "weights/verify.h"

namespace pleat::cli {
namespace {

namespace fs = std::filesystem;

std::string_view text_of(WeightFormat format) {
  return format == WeightFormat::safetensors ? "safetensors" : "pytorch";
}

// Where the model lies on this machine; empty where it does not.
std::string local_folder(const ModelEntry& entry) {
  try {
    // A registry name only: no folder that happens to be called the same.
    return locate_model("facebook/" + std::string(entry.name), fs::path("/nonexistent")).string();
  } catch (const Error&) {
    return {};
  }
}

std::string count_text(std::int64_t parameters) {
  const auto value = static_cast<double>(parameters);
  return value >= 1e9 ? fmt::format("{:.1f} G", value / 1e9) : fmt::format("{:.1f} M", value / 1e6);
}

void list_json() {
  nlohmann::ordered_json models = nlohmann::ordered_json::array();
  for (const ModelEntry& entry : model_registry()) {
    const std::string folder = local_folder(entry);
    nlohmann::ordered_json model;
    model["name"] = entry.name;
    model["kind"] = entry.kind == ModelKind::esm2 ? "esm2" : "esmfold";
    model["repository"] = entry.repository;
    model["revision"] = entry.revision;
    model["format"] = text_of(entry.format);
    model["layers"] = entry.layers;
    model["width"] = entry.width;
    model["heads"] = entry.heads;
    model["parameters"] = entry.parameters;
    model["bytes"] = entry.bytes;
    model["path"] = folder.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(folder);
    models.push_back(std::move(model));
  }
  fmt::print("{}\n", models.dump(2));
}

void list_table() {
  constexpr const char* row = "{:<22}{:>7}{:>7}{:>12}{:>10}  {:<13}{}\n";
  fmt::print(fmt::runtime(row), "NAME", "LAYERS", "WIDTH", "PARAMETERS", "SIZE", "STORED AS", "ON THIS MACHINE");
  for (const ModelEntry& entry : model_registry()) {
    const std::string folder = local_folder(entry);
    fmt::print(fmt::runtime(row), entry.name, entry.layers, entry.width, count_text(entry.parameters),
               size_text(entry.bytes), text_of(entry.format), folder.empty() ? "no" : folder);
  }
}

// Progress on stderr: a line that is drawn over on a terminal, else a line now and then.
class FetchPrinter {
 public:
  void operator()(const FetchProgress& progress) {
    using Phase = FetchProgress::Phase;
    switch (progress.phase) {
      case Phase::downloading: downloading(progress); break;
      case Phase::waiting: say(progress.file + ": waiting for another fetch of the same file"); break;
      case Phase::retrying: say(progress.file + ": " + progress.note + "; trying again"); break;
      case Phase::checking:
        if (terminal_) draw(progress.file + ": checking");
        break;
      case Phase::done: say(fmt::format("{}: {}, hash checked", progress.file, size_text(progress.total))); break;
      case Phase::present: say(progress.file + ": already here"); break;
    }
  }

 private:
  void downloading(const FetchProgress& progress) {
    const auto now = std::chrono::steady_clock::now();
    const auto pause = terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(10);
    if (now - last_ < pause) return;
    last_ = now;
    if (!terminal_) {
      say(fmt::format("{}: {} of {}", progress.file, size_text(progress.bytes), size_text(progress.total)));
      return;
    }
    constexpr std::size_t width = 30;
    const double share =
        progress.total == 0 ? 0.0 : static_cast<double>(progress.bytes) / static_cast<double>(progress.total);
    const auto filled = static_cast<std::size_t>(share * static_cast<double>(width));
    draw(fmt::format("{} [{}{}] {:3.0f}% of {}", progress.file, std::string(filled, '#'),
                     std::string(width - filled, '.'), share * 100.0, size_text(progress.total)));
  }

  void say(const std::string& line) { fmt::print(stderr, "{}{}\n", terminal_ ? "\r\x1b[K" : "", line); }

  static void draw(const std::string& line) {
    fmt::print(stderr, "\r\x1b[K{}", line);
    static_cast<void>(std::fflush(stderr));
  }

  bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

struct FetchArguments {
  std::string name;
  std::string output;
  std::string revision;
};

void fetch(const FetchArguments& arguments) {
  FetchPrinter printer;
  const FetchOptions options{.revision = arguments.revision,
                             .output = arguments.output,
                             .progress = [&printer](const FetchProgress& progress) { printer(progress); },
                             .stop = watch_signals().get()};
  const FetchResult result = fetch_model(arguments.name, options);
  fmt::print(stderr, "commit {}, {} fetched\n", result.commit, size_text(result.downloaded));
  if (!known_answers(arguments.name, result.folder).empty()) {
    const std::string model = arguments.output.empty() ? arguments.name : result.folder.string();
    fmt::print(stderr, "compare what it computes here with published numbers: pleat model verify {} --compute\n",
               model);
  }
  fmt::print("{}\n", result.folder.string());
}

std::string_view text_of(VerifiedFile::Verdict verdict) {
  switch (verdict) {
    case VerifiedFile::Verdict::match: return "ok";
    case VerifiedFile::Verdict::mismatch: return "WRONG HASH";
    case VerifiedFile::Verdict::unknown: return "no hash to compare with";
  }
  return "?";
}

struct VerifyArguments {
  std::string model;
  bool compute = false;
  std::string devices = "auto";
  std::string precision = "auto";
};

// The words of run.precision.
std::vector<std::string> precision_words() {
  std::vector<std::string> words;
  for (const Choice<Precision>& choice : choices_of(Precision{})) words.emplace_back(choice.word);
  return words;
}

Precision precision_of(const std::string& word) {
  for (const Choice<Precision>& choice : choices_of(Precision{})) {
    if (choice.word == word) return choice.value;
  }
  throw Error(ErrorCode::usage, "there is no precision '" + word + "'");
}

// Whether what the model computes is as near to the known answers as it must be.
bool compute_answers(const VerifyArguments& arguments, const fs::path& folder) {
  const std::vector<KnownAnswer> answers = known_answers(arguments.model, folder);
  if (answers.empty()) {
    fmt::print("  there are no known answers for this model: nothing was computed\n");
    return true;
  }
  const AnswerReport report = check_answers(folder, answers, arguments.devices, precision_of(arguments.precision));
  fmt::print("  computed in {} on {}:\n", report.precision, report.device);
  for (const AnswerCheck& check : report.checks) {
    fmt::print("    {}\n      by {}\n", describe(check), check.answer.source);
  }
  return report.holds();
}

int verify(const VerifyArguments& arguments) {
  const fs::path folder = locate_model(arguments.model, fs::current_path());
  const VerifyReport report = verify_model(folder, find_model(arguments.model));
  fmt::print("{}\n", report.folder.string());
  for (const VerifiedFile& file : report.files) {
    fmt::print("  {}  {}  {}  {}\n", file.sha256, size_text(file.bytes), file.name, text_of(file.verdict));
  }
  for (const std::string& problem : report.problems) fmt::print("  problem: {}\n", problem);
  if (!report.problems.empty()) return exit_status_of(ErrorCode::bad_input);
  fmt::print("  config.json and {} tensors are sound\n", report.tensors);
  if (arguments.compute && !compute_answers(arguments, folder)) return exit_status_of(ErrorCode::bad_input);
  return 0;
}

}  // namespace

void add_model_command(CLI::App& app, int& exit_status) {
  CLI::App* const model = app.add_subcommand("model", "List, fetch and verify models");
  model->require_subcommand(1);

  CLI::App* const list_command = model->add_subcommand("list", "Show the published models and which are here");
  const auto json = std::make_shared<bool>(false);
  list_command->add_flag("--json", *json, "Print JSON");
  list_command->callback([json] { *json ? list_json() : list_table(); });

  CLI::App* const fetch_command = model->add_subcommand("fetch", "Download a model from the Hugging Face hub");
  const auto arguments = std::make_shared<FetchArguments>();
  fetch_command->add_option("NAME", arguments->name, "A name that 'pleat model list' shows")
      ->type_name("MODEL")
      ->required();
  fetch_command->add_option("--output", arguments->output, "A folder for plain files, instead of the hub's cache")
      ->type_name("DIR");
  fetch_command->add_option("--revision", arguments->revision, "A branch, tag or commit, instead of the published one")
      ->type_name("REVISION");
  fetch_command->callback([arguments] { fetch(*arguments); });

  CLI::App* const verify_command =
      model->add_subcommand("verify", "Check the hashes and headers of a model on this machine, and what it computes");
  const auto verified = std::make_shared<VerifyArguments>();
  verify_command->add_option("MODEL", verified->model, "A name or a folder")->type_name("MODEL")->required();
  CLI::Option* const compute = verify_command->add_flag(
      "--compute", verified->compute, "Compute what is published of the model, and say how far it is from that");
  verify_command->add_option("--devices", verified->devices, "Where to compute, as run.devices; the first one does")
      ->type_name("DEVICES")
      ->needs(compute);
  verify_command->add_option("--precision", verified->precision, "In which arithmetic to compute, as run.precision")
      ->check(CLI::IsMember(precision_words()))
      ->needs(compute);
  verify_command->callback([verified, &exit_status] { exit_status = verify(*verified); });
}

}  // namespace pleat::cli
