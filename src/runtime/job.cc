#include "runtime/job.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <memory>
#include <optional>
#include <set>

#include "core/error.h"
#include "engine/pipeline.h"
#include "machine/calibration.h"
#include "machine/machine.h"
#include "machine/precision.h"
#include "ops/cpu/path.h"
#include "ops/cuda_plugin.h"
#include "ops/linear/processor.h"
#include "runtime/loaded_model.h"
#include "runtime/model_device.h"
#include "runtime/model_hash.h"
#include "runtime/prepare.h"
#include "runtime/progress_count.h"
#include "runtime/result_sink.h"
#include "runtime/run_results.h"
#include "runtime/seconds_since.h"
#include "runtime/time_limit.h"

namespace pleat {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* resume_hint = "run the same command again: it resumes this run";

std::string utc_now() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
}

// Which operations a GPU does otherwise than by the kernels for them. Some are met only when they are first needed.
void tell_notes(const PreparedJob& job, RunObserver& observer) {
  if (!job.devices.on_gpu()) return;
  for (const std::string& line : load_cuda_plugin().plugin->take_notes()) observer.info(line);
}

FileAttributes make_attributes(const RunContext& context) {
  const Manifest& manifest = context.manifest;
  FileAttributes attributes;
  attributes.pleat_version = context.settings.pleat_version;
  attributes.created_utc = context.created_utc;
  attributes.manifest_yaml = manifest.text;
  attributes.manifest_overrides = fmt::format("{}", fmt::join(manifest.overrides, "\n"));
  attributes.manifest_sha256 = manifest.sha256;
  attributes.inputs_sha256 = context.job.dataset.sha256;
  attributes.model_name = manifest.model;
  attributes.precision = precision_name(context.job.precision);
  attributes.source_revision = context.settings.source_revision;
  attributes.untrained = context.job.config.language_model.untrained;
  return attributes;
}

std::vector<std::shared_ptr<const LoadedModel>> load_and_tell(const Checkpoint& checkpoint, const RunContext& context) {
  const auto& [manifest, settings, job, stop, created_utc, observer] = context;
  const StopScope scope(*stop);  // large weights on a slow disk take minutes
  const auto start = Clock::now();
  return_freed_memory();
  allow_tf32(job.precision);
  std::vector<std::shared_ptr<const LoadedModel>> models = load_models(checkpoint, job);
  keep_freed_memory();
  throw_if_stopped(stop.get());
  const LoadedModel& model = *models.front();
  const Esm2Config& config = job.config.language_model;
  std::string parts = fmt::format("{} layers, width {}", config.num_hidden_layers, config.hidden_size);
  if (model.folding() != nullptr) parts += fmt::format(", {} folding blocks", job.config.folding().trunk.num_blocks);
  observer.info(fmt::format("loaded {} ({}) in {:.1f} s", manifest.model, parts, seconds_since(start)));
  if (job.devices.on_gpu()) {
    observer.info(fmt::format("computes in {}", precision_text(manifest.run.precision, job.precision)));
    tell_notes(job, observer);
  } else {
    observer.info(fmt::format("computes in {} with {}; linear layers by {}", precision_name(job.precision),
                              cpu::path_text(), linear_ways_text()));
    const std::optional<double> faster = bfloat16_speedup(calibration_file(), manifest);
    if (job.precision == Precision::float32 && faster) observer.info(bfloat16_text(*faster));
  }
  if (config.untrained) {
    observer.warning(
        fmt::format("the weights of this model are UNTRAINED pseudo-random numbers; "
                    "trained ones come with: pleat model fetch {}",
                    job.config.fold ? "esmfold_v1" : "esm2_t6_8M_UR50D"));
  }
  return models;
}

// What is known of a run before its first batch.
RunSummary make_summary(const Manifest& manifest, const PreparedJob& job, const Esm2& model) {
  RunSummary summary;
  summary.output = manifest.resolve(manifest.output);
  summary.inputs = job.dataset.inputs;
  summary.model = manifest.model;
  summary.precision = precision_name(job.precision);
  summary.untrained = job.config.language_model.untrained;
  summary.linear_flops_per_token = model.linear_flops_per_token();
  return summary;
}

void add_folded(const Computation& shared, RunSummary& summary) {
  if (!shared.job->layout.structure) return;
  const FoldTotals totals = shared.folded.totals();
  summary.sequences_folded = totals.sequences;
  summary.positions_folded = totals.positions;
  summary.fold_chunk_size = shared.plan.fold_request.chunk_size;
  summary.seconds_folding = totals.seconds;
  summary.fold_flops = totals.flops;
}

std::string names_of(const std::vector<std::shared_ptr<Device>>& devices) {
  std::vector<std::string> names;
  names.reserve(devices.size());
  for (const auto& device : devices) names.push_back(device->name());
  return fmt::format("{}", fmt::join(names, ","));
}

// The computation of what is left, and the file.
class Run {
 public:
  // What is passed must outlive the run.
  Run(const RunContext& context, std::shared_ptr<Computation> shared, RunResults& results, const ModelHash& model_hash)
      : context_(context),
        shared_(std::move(shared)),
        job_(*shared_->job),
        results_(results),
        model_hash_(model_hash),
        devices_(make_devices()) {}

  RunSummary operator()() {
    RunSummary summary = make_summary(context_.manifest, job_, shared_->models.front()->language_model());
    try {
      compute(summary);
      finish(summary);
    } catch (...) {
      results_.tell_what_is_kept(shared_->under_way.rows());
      throw;
    }
    return summary;
  }

 private:
  [[nodiscard]] ResultWriter& writer() { return results_.files().writer(); }

  std::vector<std::shared_ptr<Device>> make_devices() {
    std::vector<std::shared_ptr<Device>> devices;
    const auto& wrap = context_.settings.wrap_device;
    for (std::int64_t i = 0; i < job_.devices.count(); ++i) {
      devices.push_back(std::make_shared<ModelDevice>(shared_, i));
      if (wrap) devices.back() = wrap(std::move(devices.back()));
    }
    return devices;
  }

  PipelineJob pipeline_job() {
    PipelineJob job;
    job.batches = shared_->plan.batches;
    job.tokens = job_.work;
    job.flops = job_.flops;
    job.lost = writer().earlier().lost;
    job.batch_timeout = static_cast<double>(context_.manifest.run.batch_timeout.value_or(0));
    if (context_.settings.max_seconds > 0) job.deadline = deadline_of(context_.settings.max_seconds);
    return job;
  }

  void assemble_early() {
    if (job_.order != BatchOrder::by_row) return;
    std::vector<bool> to_come(job_.tokens.size(), false);
    for (const Batch& batch : shared_->plan.batches) {
      for (const std::int64_t row : batch.rows) to_come[static_cast<std::size_t>(row)] = true;
    }
    writer().assemble_early(std::move(to_come));
  }

  void compute(RunSummary& summary) {
    summary.seconds_startup = process_seconds();
    assemble_early();
    ProgressCount progress(job_, shared_->plan, context_.observer);
    ResultSink sink(results_.files(), results_.cache(), job_.dataset.sequences, progress, model_hash_,
                    shared_->under_way, context_.observer);
    const PipelineOutcome outcome = run_pipeline(pipeline_job(), devices_, sink, shared_->halt);
    if (outcome.end == PipelineEnd::no_time_left) {
      throw time_is_over(job_.dataset, job_.flops,
                         {.limit = context_.settings.max_seconds,
                          .is_done = [this](std::int64_t row) { return writer().is_done(row); },
                          .seconds_of = [this](std::int64_t row) { return writer().seconds_of(row); },
                          .seconds_under_way = [this](std::int64_t row) { return shared_->under_way.seconds(row); }});
    }
    if (outcome.end == PipelineEnd::no_device_left) {
      throw Error(ErrorCode::retry, "no device is left, and not everything is computed", resume_hint);
    }
    tell_notes(job_, context_.observer);
    summary.seconds_forward = progress.seconds();
    summary.sequences = progress.now().sequences;
    summary.residues = progress.now().residues;
    summary.earlier_sequences = writer().earlier().sequences;
    if (results_.cache() != nullptr) summary.cached_sequences = results_.cache()->counts().found;
    for (const Batch& batch : shared_->plan.batches) summary.tokens += batch.tokens;
    add_folded(*shared_, summary);
  }

  void finish(RunSummary& summary) {
    const auto start = Clock::now();
    FileAttributes attributes = make_attributes(context_);
    attributes.devices = names_of(devices_);
    attributes.model_sha256 = model_hash_.get(*context_.stop);
    if (model_hash_.error().empty()) {
      writer().set_model(attributes.model_sha256);
    } else {
      context_.observer.warning("the file holds no hash of the weights: " + model_hash_.error());
    }
    results_.files().finish(attributes, summary);
    summary.seconds_finish = seconds_since(start);
    results_.tell_of_outcomes();
    summary.peak_rss_bytes = peak_rss_bytes();
    summary.seconds_total = process_seconds();
  }

  const RunContext& context_;
  std::shared_ptr<Computation> shared_;  // with the devices, of which one that hangs stays behind
  const PreparedJob& job_;
  RunResults& results_;
  const ModelHash& model_hash_;
  std::vector<std::shared_ptr<Device>> devices_;
};

RunSummary run_until_stopped(const Manifest& manifest, const RunSettings& settings,
                             const std::shared_ptr<const StopToken>& stop, RunObserver& observer) {
  const std::filesystem::path work_folder = work_folder_of(manifest.resolve(manifest.output), settings.work_folder);
  const std::optional<RunIdentity> earlier = settings.restart ? std::nullopt : find_earlier_run(work_folder);
  const NamedValues settled = earlier ? earlier->settled : NamedValues();
  std::optional<std::set<std::int64_t>> earlier_rows;
  const auto is_done = [&](std::int64_t key) {
    if (settled.empty()) return false;
    if (!earlier_rows) earlier_rows = find_earlier_rows(work_folder);
    return earlier_rows->contains(key);
  };
  const PrepareOptions options{.is_done = is_done,
                               .shard = settings.shard,
                               .precision_of_auto = precision_named(value_of(settled, settled_precision)),
                               .stop = stop.get()};
  PreparedJob prepared = prepare_job(manifest, options, observer);
  prepared.order = settings.order.value_or(prepared.order);
  const auto job = std::make_shared<const PreparedJob>(std::move(prepared));
  throw_if_stopped(stop.get());

  const auto checkpoint = std::make_shared<const Checkpoint>(Checkpoint::open(job->model_folder));
  check_heads(manifest, *checkpoint);
  const ModelHash model_hash(*checkpoint, stop);  // reads every byte of the weights once more, beside the work

  const std::string created = value_of(settled, settled_created_utc);
  const RunContext context{manifest, settings, *job, stop, created.empty() ? utc_now() : created, observer};
  RunResults results(context, checkpoint->sample());
  results.take_up_earlier();
  results.take_from_cache(model_hash);
  results.refuse_what_no_longer_fits();
  JobPlan plan = plan_job(
      manifest, *job, [&](std::int64_t row) { return results.files().writer().is_done(row); }, results.interruptions());

  const auto shared =
      std::make_shared<Computation>(job, std::move(plan), checkpoint, load_and_tell(*checkpoint, context), stop);
  return Run(context, shared, results, model_hash)();
}

}  // namespace

RunSummary run_job(const Manifest& manifest, const RunSettings& settings, RunObserver& observer) {
  const auto stop = std::make_shared<StopToken>(settings.stop);
  if (settings.max_seconds > 0) stop->set_deadline(deadline_of(settings.max_seconds));
  try {
    return run_until_stopped(manifest, settings, stop, observer);
  } catch (const Stopped& stopped) {
    if (stopped.reason() != StopReason::deadline) throw;
    throw Error(ErrorCode::retry, "the time of --max-time is over, and the file is not complete", resume_hint);
  }
}

}  // namespace pleat
