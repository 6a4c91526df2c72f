// pleat bench-device: how fast this machine is with a model, for the times that pleat plan tells.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/progress.h"
#include "core/error.h"
#include "core/file.h"
#include "machine/calibration.h"
#include "machine/devices.h"
#include "runtime/job.h"
#include "runtime/plan_report.h"

namespace pleat::cli {
namespace {

namespace fs = std::filesystem;

// Removes itself with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "pleat-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw_system_error(errno, "create", name, ErrorCode::cannot_create);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  TemporaryFolder(TemporaryFolder&&) = delete;
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;

  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Made-up proteins of usual lengths: several batches for each device, or a few folds.
void write_proteins(const fs::path& file, bool folding, std::int64_t devices) {
  constexpr std::string_view letters = "ACDEFGHIKLMNPQRSTVWY";
  const std::vector<std::size_t> lengths =
      folding ? std::vector<std::size_t>{128, 64} : std::vector<std::size_t>{500, 400, 350, 300, 250, 200, 150, 100};
  std::ofstream out(file);
  std::uint32_t state = 1;
  for (std::int64_t i = 0; i < (folding ? devices : 2 * devices); ++i) {
    for (const std::size_t length : lengths) {
      out << '>' << i << '_' << length << '\n';
      for (std::size_t k = 0; k < length; ++k) {
        state = 1664525 * state + 1013904223;
        out << letters[(state >> 16) % letters.size()];
      }
      out << '\n';
    }
  }
}

// Computes the manifest's inputs, and keeps how fast that was.
void measure(const Manifest& manifest) {
  ProgressPrinter printer(ProgressStyle::none);
  RunSettings settings;
  settings.overwrite = true;
  const std::string key = calibration_key(manifest);
  const RunSummary summary = run_job(manifest, settings, printer);
  const double flops = make_plan_report(manifest, std::nullopt).flops;
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  const Calibration calibration{flops / summary.seconds_forward, fmt::format("{:%Y-%m-%d}", fmt::gmtime(now))};
  std::cout << fmt::format("{:.0f} GFLOP/s, {:.0f} residues/s: {}\n", calibration.flops_per_second / 1e9,
                           static_cast<double>(summary.residues) / summary.seconds_forward, key);
  const fs::path file = calibration_file();
  try {
    if (file.empty()) throw Error(ErrorCode::cannot_create, "neither XDG_CACHE_HOME nor HOME is set");
    keep_calibration(file, key, calibration);
    std::cout << "kept for pleat plan in " << file.string() << '\n';
  } catch (const Error& error) {
    spdlog::warn("the measurement could not be kept: {}", error.what());
  }
}

// Where `auto` leaves the choice, both precisions of a processor, so that plan can say what the other one would be
// worth.
void bench(const std::string& manifest_file, const std::vector<std::string>& overrides) {
  Manifest manifest = load_manifest(manifest_file, overrides);
  const TemporaryFolder folder;
  const fs::path proteins = folder.path() / "proteins.fasta";
  const std::int64_t devices = choose_devices(manifest.run.devices).count();
  write_proteins(proteins, manifest.tasks.structure.enabled, devices);
  manifest.inputs = {InputSpec{proteins.string()}};
  manifest.pairs = {};
  if (manifest.tasks.scoring.has_table()) manifest.tasks.scoring.variants = ScoringTask::no_variants;
  manifest.output = (folder.path() / "results.h5").string();
  manifest.tasks.structure.formats.clear();
  measure(manifest);
  if (manifest.run.precision != Precision::automatic || choose_devices(manifest.run.devices).on_gpu()) return;
  manifest.run.precision = Precision::bfloat16;
  measure(manifest);
  if (const auto speedup = bfloat16_speedup(calibration_file(), manifest)) std::cout << bfloat16_text(*speedup) << '\n';
}

}  // namespace

void add_bench_device_command(CLI::App& app, int& /*exit_status*/) {
  struct Arguments {
    std::string manifest;
    std::vector<std::string> overrides;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* const command =
      app.add_subcommand("bench-device", "Measure this machine with a manifest's model, for the times of pleat plan");
  command->add_option("manifest", arguments->manifest, "The YAML manifest; its inputs are not read")
      ->type_name("FILE")
      ->required();
  command->add_option("--set", arguments->overrides, "Override one key of the manifest")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command->callback([arguments] { bench(arguments->manifest, arguments->overrides); });
}

}  // namespace pleat::cli
