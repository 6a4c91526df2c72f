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
#include "ops/cpu/path.h"
#include "ops/cuda_plugin.h"
#include "ops/linear/processor.h"
#include "runtime/calibration.h"
#include "runtime/identity.h"
#include "runtime/loaded_model.h"
#include "runtime/machine.h"
#include "runtime/model_device.h"
#include "runtime/model_hash.h"
#include "runtime/precision.h"
#include "runtime/prepare.h"
#include "runtime/progress_count.h"
#include "runtime/result_files.h"
#include "runtime/result_sink.h"
#include "runtime/seconds_since.h"
#include "runtime/time_limit.h"
#include "store/result_cache.h"

namespace pleat {
namespace {

using Clock = std::chrono::steady_clock;

// A failure for lack of memory does not stand where there is so much more.
constexpr double noticeably_more = 1.1;
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

FileAttributes make_attributes(const Manifest& manifest, const RunSettings& settings, const PreparedJob& job,
                               const std::string& created) {
  FileAttributes attributes;
  attributes.pleat_version = settings.pleat_version;
  attributes.created_utc = created;
  attributes.manifest_yaml = manifest.text;
  attributes.manifest_overrides = fmt::format("{}", fmt::join(manifest.overrides, "\n"));
  attributes.manifest_sha256 = manifest.sha256;
  attributes.inputs_sha256 = job.dataset.sha256;
  attributes.model_name = manifest.model;
  attributes.precision = precision_name(job.precision);
  attributes.source_revision = settings.source_revision;
  attributes.untrained = job.config.language_model.untrained;
  return attributes;
}

std::vector<std::shared_ptr<const LoadedModel>> load_and_tell(const Checkpoint& checkpoint, const PreparedJob& job,
                                                              const Manifest& manifest, RunObserver& observer) {
  const auto start = Clock::now();
  return_freed_memory();
  allow_tf32(job.precision);
  std::vector<std::shared_ptr<const LoadedModel>> models = load_models(checkpoint, job);
  keep_freed_memory();
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

void add_folded(const FoldTotals& totals, const PreparedJob& job, RunSummary& summary) {
  if (!job.layout.structure) return;
  summary.sequences_folded = totals.sequences;
  summary.positions_folded = totals.positions;
  summary.fold_chunk_size = job.fold_request.chunk_size;
  summary.seconds_folding = totals.seconds;
  summary.fold_flops = totals.flops;
}

std::string names_of(const std::vector<std::shared_ptr<Device>>& devices) {
  std::vector<std::string> names;
  names.reserve(devices.size());
  for (const auto& device : devices) names.push_back(device->name());
  return fmt::format("{}", fmt::join(names, ","));
}

// One run, between its preparation and its summary.
class Run {
 public:
  Run(const Manifest& manifest, const RunSettings& settings, std::shared_ptr<const StopToken> stop, PreparedJob job,
      std::string created, RunObserver& observer)
      : manifest_(manifest),
        settings_(settings),
        stop_(std::move(stop)),
        checkpoint_(std::make_shared<const Checkpoint>(Checkpoint::open(job.model_folder))),
        shared_(std::make_shared<Computation>(std::move(job), checkpoint_, stop_)),
        job_(shared_->job),
        observer_(observer),
        created_(std::move(created)),
        model_hash_(*checkpoint_, stop_) {
    check_heads(manifest, *checkpoint_);
    files_ = std::make_unique<ResultFiles>(manifest, settings, job_, created_, writer_options());
    if (!writer().is_locked()) {
      observer_.warning(
          "the work folder is on a file system without locks: another run in it is found out only by its owner file, "
          "which may take seconds");
    }
    take_up_earlier();
    take_from_cache();
    refuse_what_no_longer_fits();
    const EarlierResults& earlier = writer().earlier();
    plan_job(
        manifest, [this](std::int64_t row) { return writer().is_done(row); },
        {earlier.interrupted, earlier.last_did_nothing}, job_);
  }

  RunSummary operator()() {
    {
      const StopScope scope(stop());  // large weights on a slow disk take minutes
      shared_->models = load_and_tell(*checkpoint_, job_, manifest_, observer_);
    }
    throw_if_stopped(&stop());
    RunSummary summary = make_summary(manifest_, job_, shared_->models.front()->language_model());
    const std::vector<std::shared_ptr<Device>> devices = make_devices();
    try {
      compute(devices, summary);
      finish(devices, summary);
    } catch (...) {
      tell_what_is_kept();
      throw;
    }
    return summary;
  }

 private:
  [[nodiscard]] const StopToken& stop() const { return *stop_; }
  [[nodiscard]] ResultWriter& writer() { return files_->writer(); }
  [[nodiscard]] std::string program() const { return settings_.pleat_version + " (" + settings_.source_revision + ")"; }

  WriterOptions writer_options() {
    WriterOptions options;
    options.overwrite = settings_.overwrite;
    options.work_folder = settings_.work_folder;
    options.restart = settings_.restart;
    options.identity = identity_of(manifest_, job_, program(), checkpoint_->sample(), created_);
    options.row_keys = job_.row_keys;
    options.longest_tokens = job_.longest_tokens;
    options.tries_again = [this](const SequenceResult& failure, std::int64_t longest_tokens) {
      if (failure.error_code == RecordCode::does_not_fit) return true;  // judged anew
      return failure.error_code == RecordCode::out_of_memory &&
             static_cast<double>(job_.longest_tokens) > noticeably_more * static_cast<double>(longest_tokens);
    };
    options.stop = &stop();
    return options;
  }

  void take_up_earlier() {
    const EarlierResults& earlier = writer().earlier();
    if (earlier.sequences == 0 && earlier.damaged == 0) return;
    observer_.info(fmt::format("resumes an earlier run: {} of {} sequences are done", earlier.sequences,
                               job_.dataset.sequences.size()));
    if (earlier.damaged > 0) {
      observer_.warning(fmt::format("the results of {} sequence{} are damaged and are computed again", earlier.damaged,
                                    earlier.damaged == 1 ? "" : "s"));
    }
    files_->take_up_earlier(stop());
  }

  // Results of a run with more memory that turned out damaged.
  void refuse_what_no_longer_fits() {
    for (std::int64_t row = 0; row < job_.dataset.sequences.size(); ++row) {
      const std::int64_t tokens = job_.tokens[row];
      if (tokens <= job_.longest_tokens || writer().is_done(row)) continue;
      SequenceResult refused =
          failed_result(row, RecordCode::does_not_fit,
                        too_long_message(job_.dataset.sequences.length(row), tokens, job_.longest_tokens));
      refused.attempts = 0;
      files_->add(std::move(refused));
    }
  }

  void take_from_cache() {
    if (settings_.cache_folder.empty()) return;
    NamedValues same = task_of(manifest_, job_, program());
    same.emplace_back("model_sha256", model_hash_.get(stop()));
    if (!model_hash_.error().empty()) {
      observer_.warning("the cache is not used, as there is no hash of the weights: " + model_hash_.error());
      return;
    }
    cache_.emplace(settings_.cache_folder, job_.layout, same);
    writer().set_model(model_hash_.get(stop()));
    const SequenceTable& sequences = job_.dataset.sequences;
    for (std::int64_t row = 0; row < sequences.size(); ++row) {
      throw_if_stopped(&stop());
      if (writer().is_done(row)) continue;
      if (std::optional<SequenceResult> result = cache_->find(sequences, row)) files_->add(std::move(*result));
      writer().sync_if_due();
    }
    observer_.info(fmt::format("{} of {} sequences were in the cache", cache_->counts().found, sequences.size()));
  }

  std::vector<std::shared_ptr<Device>> make_devices() {
    std::vector<std::shared_ptr<Device>> devices;
    for (std::int64_t i = 0; i < job_.devices.count(); ++i) {
      devices.push_back(std::make_shared<ModelDevice>(shared_, i));
      if (settings_.wrap_device) devices.back() = settings_.wrap_device(std::move(devices.back()));
    }
    return devices;
  }

  PipelineJob pipeline_job() {
    PipelineJob job;
    job.batches = job_.batches;
    job.tokens = job_.tokens;
    job.flops = job_.flops;
    job.lost = files_->writer().earlier().lost;
    job.batch_timeout = static_cast<double>(manifest_.run.batch_timeout.value_or(0));
    if (settings_.max_seconds > 0) job.deadline = deadline_of(settings_.max_seconds);
    return job;
  }

  void assemble_early() {
    if (job_.order != BatchOrder::by_row) return;
    std::vector<bool> to_come(job_.tokens.size(), false);
    for (const Batch& batch : job_.batches) {
      for (const std::int64_t row : batch.rows) to_come[static_cast<std::size_t>(row)] = true;
    }
    writer().assemble_early(std::move(to_come));
  }

  void compute(const std::vector<std::shared_ptr<Device>>& devices, RunSummary& summary) {
    summary.seconds_startup = process_seconds();
    assemble_early();
    ProgressCount progress(job_, observer_);
    ResultSink sink(*files_, cache_ ? &*cache_ : nullptr, job_.dataset.sequences, progress, model_hash_,
                    shared_->under_way, observer_);
    const PipelineOutcome outcome = run_pipeline(pipeline_job(), devices, sink, shared_->halt);
    if (outcome.end == PipelineEnd::no_time_left) {
      throw time_is_over(job_.dataset, job_.flops,
                         {.limit = settings_.max_seconds,
                          .is_done = [this](std::int64_t row) { return writer().is_done(row); },
                          .seconds_of = [this](std::int64_t row) { return writer().seconds_of(row); },
                          .seconds_under_way = [this](std::int64_t row) { return shared_->under_way.seconds(row); }});
    }
    if (outcome.end == PipelineEnd::no_device_left) {
      throw Error(ErrorCode::retry, "no device is left, and not everything is computed", resume_hint);
    }
    tell_notes(job_, observer_);
    summary.seconds_forward = progress.seconds();
    summary.sequences = progress.now().sequences;
    summary.residues = progress.now().residues;
    summary.earlier_sequences = writer().earlier().sequences;
    if (cache_) summary.cached_sequences = cache_->counts().found;
    for (const Batch& batch : job_.batches) summary.tokens += batch.tokens;
    add_folded(shared_->folded.totals(), job_, summary);
  }

  void finish(const std::vector<std::shared_ptr<Device>>& devices, RunSummary& summary) {
    const auto start = Clock::now();
    FileAttributes attributes = make_attributes(manifest_, settings_, job_, created_);
    attributes.devices = names_of(devices);
    attributes.model_sha256 = model_hash_.get(stop());
    if (model_hash_.error().empty()) {
      writer().set_model(attributes.model_sha256);
    } else {
      observer_.warning("the file holds no hash of the weights: " + model_hash_.error());
    }
    files_->finish(attributes, summary);
    summary.seconds_finish = seconds_since(start);
    for (const std::string& line : files_->outcomes().warnings()) observer_.warning(line);
    tell_of_cache();
    summary.peak_rss_bytes = peak_rss_bytes();
    summary.seconds_total = process_seconds();
  }

  void tell_of_cache() {
    if (!cache_) return;
    const CacheCounts& counts = cache_->counts();
    if (counts.damaged > 0) {
      observer_.warning(fmt::format("{} result{} in the cache {} damaged, and computed again", counts.damaged,
                                    counts.damaged == 1 ? "" : "s", counts.damaged == 1 ? "was" : "were"));
    }
    if (counts.not_kept > 0) {
      observer_.warning(fmt::format("the cache lacks {} result{} of this run: {}", counts.not_kept,
                                    counts.not_kept == 1 ? "" : "s", counts.why_not_kept));
    }
  }

  // Of a run that ends without its file.
  void tell_what_is_kept() noexcept {
    try {
      writer().set_under_way(shared_->under_way.rows());
      writer().sync();
      const SequenceTable& sequences = job_.dataset.sequences;
      std::int64_t done = 0;
      for (std::int64_t row = 0; row < sequences.size(); ++row) done += writer().is_done(row) ? 1 : 0;
      if (done == 0) return;
      observer_.warning(fmt::format(
          "{} of {} sequences are done and kept in '{}'; the same command resumes it", done, sequences.size(),
          work_folder_of(manifest_.resolve(manifest_.output), settings_.work_folder).string()));
    } catch (const std::exception& error) {
      observer_.warning(error.what());
    }
  }

  const Manifest& manifest_;
  const RunSettings& settings_;
  std::shared_ptr<const StopToken> stop_;
  std::shared_ptr<const Checkpoint> checkpoint_;
  std::shared_ptr<Computation> shared_;  // with the devices, of which one that hangs stays behind
  PreparedJob& job_;
  RunObserver& observer_;
  std::string created_;
  ModelHash model_hash_;  // reads every byte of the weights once more, beside the work
  std::unique_ptr<ResultFiles> files_;
  std::optional<ResultCache> cache_;
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
  PreparedJob job = prepare_job(manifest, options, observer);
  job.order = settings.order.value_or(job.order);
  throw_if_stopped(stop.get());
  const std::string created = value_of(settled, settled_created_utc);
  return Run(manifest, settings, stop, std::move(job), created.empty() ? utc_now() : created, observer)();
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
