// pleat plan: what a run would do, without doing it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/shard_option.h"
#include "core/printable.h"
#include "core/size_text.h"
#include "machine/calibration.h"
#include "runtime/plan_report.h"

namespace pleat::cli {
namespace {

using Json = nlohmann::ordered_json;

struct PlanArguments {
  std::string manifest;
  std::vector<std::string> overrides;
  std::string devices;
  std::string shard;
  bool json = false;
};

// Without a measurement: what a core of a common server does in float32 with this program, rounded down.
constexpr double assumed_flops_per_core = 50e9;

struct TimeEstimate {
  double seconds = 0;
  std::string basis;
  std::optional<double> bfloat16_speedup;  // where float32 is planned, and both have been measured
};

TimeEstimate estimate_time(const PlanReport& plan, const Manifest& manifest) {
  const double flops = plan.shard ? plan.shard_flops : plan.flops;
  const std::optional<double> faster =
      plan.precision == "float32" ? bfloat16_speedup(calibration_file(), manifest) : std::nullopt;
  if (const auto found = find_calibration(calibration_file(), calibration_key(manifest))) {
    return {flops / found->flops_per_second, "measured by pleat bench-device on " + found->measured_utc, faster};
  }
  const double cores = static_cast<double>(plan.devices * plan.threads);
  return {flops / (cores * assumed_flops_per_core), "a guess from the arithmetic; pleat bench-device measures", faster};
}

std::string bytes_text(double bytes) { return size_text(static_cast<std::uint64_t>(bytes)); }

std::string counts_text(const std::string& word, const std::map<std::string, std::int64_t>& counts) {
  std::string text;
  for (const auto& [code, count] : counts) text += fmt::format("  {:<10} {} with {}\n", word, count, code);
  return text;
}

// As pleat run finds before it computes. A shard takes its share.
bool exceeds_disk(const PlanReport& plan) {
  const double share = plan.shard && plan.flops > 0 ? plan.shard_flops / plan.flops : 1;
  return plan.free_disk_bytes >= 0 && share * plan.result_bytes > plan.free_disk_bytes;
}

std::string people_text(const PlanReport& plan, const TimeEstimate& time) {
  std::string text = fmt::format("model        {}, {}, on {} device{} of {} threads\n", plan.model, plan.precision_text,
                                 plan.devices, plan.devices == 1 ? "" : "s", plan.threads);
  for (const InputReport& input : plan.inputs) {
    if (input.is_bad()) text += fmt::format("INPUT with {}: {}\n", input.problem, printable(input.message, 400));
  }
  for (const std::string& warning : plan.warnings) text += fmt::format("warning      {}\n", printable(warning, 400));
  if (plan.parts) {
    text += fmt::format("complexes    {}, of {} records in pairs\n", plan.records, *plan.parts);
  } else {
    text += fmt::format("records      {}\n", plan.records);
  }
  text += counts_text("rejected", plan.rejected) + counts_text("noted", plan.noted);
  text +=
      fmt::format("sequences    {} unique, {} residues, the longest {}\n", plan.sequences, plan.residues, plan.longest);
  if (plan.too_long > 0) {
    text += fmt::format("WILL NOT FIT {} unique sequence{} of over {} residues, for lack of memory\n", plan.too_long,
                        plan.too_long == 1 ? "" : "s", plan.longest_that_fits);
  }
  if (plan.variants > 0) text += fmt::format("variants     {}, {} refused\n", plan.variants, plan.variants_refused);
  text += fmt::format("tokens       {} in all passes of the language model\n", plan.model_tokens);
  text += fmt::format("batches      {} of up to {} tokens\n", plan.batches, plan.tokens_per_batch);
  if (plan.shard) {
    text +=
        fmt::format("shard        {} of {}: {:.2f} % of the work; the shards differ by {:.2f} %\n", plan.shard->index,
                    plan.shard->count, 100 * plan.shard_flops / std::max(plan.flops, 1.0), 100 * plan.shard_spread);
  }
  text += fmt::format("memory       weights {}, and {} for each device; {} free\n", bytes_text(plan.weight_bytes),
                      bytes_text(plan.activation_bytes), bytes_text(plan.free_bytes));
  for (const PlanReport::Chunk& chunk : plan.chunks) {
    text += fmt::format("  {} chunk {:>4}  {:>10} for each device, up to {} residues\n", chunk.chosen ? "->" : "  ",
                        chunk.chunk_size, bytes_text(chunk.bytes), chunk.longest);
  }
  text += fmt::format("disk         up to {} while it runs, and less for the file{}\n", bytes_text(plan.result_bytes),
                      plan.free_disk_bytes < 0 ? "" : "; " + bytes_text(plan.free_disk_bytes) + " free");
  if (plan.attention_bytes > 0)
    text += fmt::format("             {} of it attention maps\n", bytes_text(plan.attention_bytes));
  if (exceeds_disk(plan)) text += "WILL NOT FIT the disk: a run is refused; make room, or see --work-dir and --shard\n";
  text += fmt::format("time         about {} ({:.3g} TFLOP; {})\n", clock_text(time.seconds), plan.flops / 1e12,
                      time.basis);
  if (time.bfloat16_speedup) text += fmt::format("precision    {}\n", bfloat16_text(*time.bfloat16_speedup));
  return text;
}

Json inputs_json(const PlanReport& plan) {
  Json inputs = Json::array();
  for (const InputReport& input : plan.inputs) {
    inputs.push_back({{"path", input.path},
                      {"records", input.records},
                      {"format", input.format},
                      {"problem", input.problem},
                      {"message", input.message}});
  }
  return inputs;
}

std::string json_text(const PlanReport& plan, const TimeEstimate& time) {
  Json json{{"model", plan.model},
            {"precision", plan.precision},
            {"devices", plan.devices},
            {"threads", plan.threads},
            {"inputs", inputs_json(plan)},
            {"records", plan.records},
            {"rejected", plan.rejected},
            {"noted", plan.noted},
            {"sequences", plan.sequences},
            {"residues", plan.residues},
            {"longest", plan.longest},
            {"too_long", plan.too_long},
            {"longest_that_fits", plan.longest_that_fits},
            {"variants", plan.variants},
            {"variants_refused", plan.variants_refused},
            {"model_tokens", plan.model_tokens},
            {"batches", plan.batches},
            {"tokens_per_batch", plan.tokens_per_batch},
            {"flops", plan.flops},
            {"dearest_batch_flops", plan.dearest_batch_flops},
            {"free_bytes", plan.free_bytes},
            {"weight_bytes", plan.weight_bytes},
            {"activation_bytes", plan.activation_bytes},
            {"attention_bytes", plan.attention_bytes},
            {"result_bytes", plan.result_bytes},
            {"free_disk_bytes", plan.free_disk_bytes},
            {"fits_disk", !exceeds_disk(plan)},
            {"seconds", time.seconds},
            {"seconds_basis", time.basis}};
  if (time.bfloat16_speedup) json["bfloat16_speedup"] = *time.bfloat16_speedup;
  json["chunks"] = Json::array();
  for (const PlanReport::Chunk& chunk : plan.chunks) {
    json["chunks"].push_back({{"chunk_size", chunk.chunk_size},
                              {"bytes", chunk.bytes},
                              {"longest", chunk.longest},
                              {"chosen", chunk.chosen}});
  }
  if (plan.parts) json["pairs"] = {{"parts", *plan.parts}, {"complexes", plan.records}};
  if (plan.shard) {
    json["shard"] = {{"index", plan.shard->index},
                     {"count", plan.shard->count},
                     {"flops", plan.shard_flops},
                     {"spread", plan.shard_spread}};
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void plan(const PlanArguments& arguments) {
  std::vector<std::string> overrides = arguments.overrides;
  if (!arguments.devices.empty()) overrides.push_back("run.devices=\"" + arguments.devices + "\"");
  const Manifest manifest = load_manifest(arguments.manifest, overrides);
  const PlanReport report = make_plan_report(manifest, shard_in(arguments.shard));
  const TimeEstimate time = estimate_time(report, manifest);
  std::cout << (arguments.json ? json_text(report, time) : people_text(report, time));
}

}  // namespace

void add_plan_command(CLI::App& app, int& /*exit_status*/) {
  const auto arguments = std::make_shared<PlanArguments>();
  CLI::App* const command =
      app.add_subcommand("plan", "Show what pleat run would do: reads the inputs, not the weights");
  command->add_option("manifest", arguments->manifest, "The YAML manifest")->type_name("FILE")->required();
  command->add_option("--devices", arguments->devices, "Plan for these devices instead of `run.devices`")
      ->type_name("DEVICES");
  command->add_option("--set", arguments->overrides, "Override one key of the manifest")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command->add_option("--shard", arguments->shard, "Also say what this shard has to do")->type_name("I/N|slurm-array");
  command->add_flag("--json", arguments->json, "Print JSON");
  command->callback([arguments] { plan(*arguments); });
}

}  // namespace pleat::cli
