#include "pleat/runtime/job.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>

#include "cpu_device.h"
#include "model_hash.h"
#include "pleat/core/error.h"
#include "pleat/esm2/tensors.h"
#include "pleat/plan/cost.h"
#include "pleat/runtime/machine.h"
#include "pleat/runtime/pipeline.h"
#include "prepare.h"

namespace pleat {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::string utc_now() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
}

void throw_if_stopped(const std::atomic<int>& stop) {
  if (const int signal = stop; signal != 0) throw Stopped(signal);
}

void check_heads(const Manifest& manifest, const Esm2Parts& parts) {
  if (manifest.tasks.logits && !parts.lm_head) {
    throw Error(ErrorCode::bad_manifest, "tasks.logits: this checkpoint has no language-model head (lm_head)",
                "use a checkpoint of the masked language model, as the published ESM-2 ones are");
  }
  if (manifest.tasks.contacts && !parts.contact_head) {
    throw Error(ErrorCode::bad_manifest, "tasks.contacts: this checkpoint has no contact head (contact_head)",
                "use a checkpoint with a contact head, as the published ESM-2 ones are");
  }
}

// Counts what has come out of the pipeline, and tells the observer.
class ProgressCount {
 public:
  ProgressCount(const PreparedJob& job, RunObserver& observer) : job_(job), observer_(observer) {
    for (const Batch& batch : job.batches) {
      progress_.sequences += static_cast<std::int64_t>(batch.rows.size());
      progress_.flops += batch.flops;
      for (const std::int64_t row : batch.rows) progress_.residues += job.dataset.sequences.length(row);
    }
    observer_.progress(progress_);
  }

  void add(std::int64_t row) {
    ++progress_.sequences_done;
    progress_.residues_done += job_.dataset.sequences.length(row);
    progress_.flops_done += forward_flops(job_.shape, job_.tokens[row]);
    progress_.seconds = seconds_since(start_);
    observer_.progress(progress_);
  }

  [[nodiscard]] const Progress& now() const { return progress_; }
  [[nodiscard]] double seconds() const { return seconds_since(start_); }

 private:
  const PreparedJob& job_;
  RunObserver& observer_;
  Progress progress_;
  Clock::time_point start_ = Clock::now();
};

void count_records(const Dataset& dataset, const std::vector<bool>& failed, RunSummary& summary) {
  summary.records = static_cast<std::int64_t>(dataset.records.size());
  for (const Record& record : dataset.records) {
    if (record.status == RecordStatus::rejected) {
      ++summary.rejected;
    } else if (record.status == RecordStatus::skipped) {
      ++summary.skipped;
    } else if (failed[static_cast<std::size_t>(record.sequence)]) {
      ++summary.failed;
    } else {
      ++summary.ok;
    }
  }
}

std::string name_of_precision(at::ScalarType precision) { return precision == at::kFloat ? "float32" : "bfloat16"; }

FileAttributes make_attributes(const Manifest& manifest, const RunSettings& settings, const PreparedJob& job) {
  FileAttributes attributes;
  attributes.pleat_version = settings.pleat_version;
  attributes.created_utc = utc_now();
  attributes.manifest_yaml = manifest.text;
  attributes.manifest_overrides = fmt::format("{}", fmt::join(manifest.overrides, "\n"));
  attributes.manifest_sha256 = manifest.sha256;
  attributes.model_name = manifest.model;
  attributes.precision = name_of_precision(job.precision);
  attributes.source_revision = settings.source_revision;
  attributes.untrained = job.config.untrained;
  return attributes;
}

Esm2 load_model(const Checkpoint& checkpoint, const PreparedJob& job, const Manifest& manifest, RunObserver& observer) {
  const auto start = Clock::now();
  return_freed_memory();
  Esm2 model(checkpoint, job.config, job.precision);
  keep_freed_memory();
  observer.info(fmt::format("loaded {} ({} layers, width {}) in {:.1f} s", manifest.model, job.config.num_hidden_layers,
                            job.config.hidden_size, seconds_since(start)));
  if (job.config.untrained) {
    observer.warning(
        "the weights of this model are UNTRAINED pseudo-random numbers; "
        "trained ones come with: pleat model fetch esm2_t6_8M_UR50D");
  }
  return model;
}

// What is known of a run before its first batch.
RunSummary make_summary(const Manifest& manifest, const PreparedJob& job, const Esm2& model) {
  RunSummary summary;
  summary.output = manifest.resolve(manifest.output);
  summary.model = manifest.model;
  summary.precision = name_of_precision(job.precision);
  summary.untrained = job.config.untrained;
  summary.linear_flops_per_token = model.linear_flops_per_token();
  for (const Batch& batch : job.batches) summary.tokens += batch.tokens;
  return summary;
}

}  // namespace

RunSummary run_job(const Manifest& manifest, const RunSettings& settings, RunObserver& observer) {
  static const std::atomic<int> never = 0;
  const std::atomic<int>& stop = settings.stop != nullptr ? *settings.stop : never;
  const PreparedJob job = prepare_job(manifest, observer);
  throw_if_stopped(stop);
  const Checkpoint checkpoint = Checkpoint::open(job.model_folder);
  check_heads(manifest, esm2_parts(checkpoint.tensors()));
  ResultWriter writer(manifest.resolve(manifest.output), job.layout, job.dataset,
                      {settings.overwrite, settings.work_folder});
  const Esm2 model = load_model(checkpoint, job, manifest, observer);
  throw_if_stopped(stop);
  // Reading every byte of the weights once more goes on beside the work.
  ModelHash model_hash(checkpoint);

  RunSummary summary = make_summary(manifest, job, model);
  CpuDevice device(model, job.tokenizer, job.dataset.sequences, job.layout);
  summary.seconds_startup = process_seconds();
  ProgressCount progress(job, observer);
  std::vector<bool> failed(job.tokens.size());
  run_pipeline(
      job.batches, job.tokens, device,
      [&](const SequenceResult& result) {
        writer.add(result);
        if (result.failed) failed[static_cast<std::size_t>(result.row)] = true;
        progress.add(result.row);
      },
      stop);
  summary.seconds_forward = progress.seconds();

  const auto finish_start = Clock::now();
  FileAttributes attributes = make_attributes(manifest, settings, job);
  attributes.devices = device.name();
  attributes.model_sha256 = model_hash.get();
  if (!model_hash.error().empty()) observer.warning("the file holds no hash of the weights: " + model_hash.error());
  summary.file_bytes = writer.finish(attributes).file_bytes;
  summary.seconds_finish = seconds_since(finish_start);
  count_records(job.dataset, failed, summary);
  summary.sequences = progress.now().sequences;
  summary.residues = progress.now().residues;
  summary.peak_rss_bytes = peak_rss_bytes();
  summary.seconds_total = process_seconds();
  return summary;
}

}  // namespace pleat
