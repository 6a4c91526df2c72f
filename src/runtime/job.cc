#include "pleat/runtime/job.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>

#include "cpu_device.h"
#include "loaded_model.h"
#include "model_hash.h"
#include "outcomes.h"
#include "pleat/core/error.h"
#include "pleat/esm2/tensors.h"
#include "pleat/export/structure_folder.h"
#include "pleat/runtime/machine.h"
#include "pleat/runtime/pipeline.h"
#include "pleat/store/schema.h"
#include "prepare.h"
#include "progress_count.h"

namespace pleat {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::string utc_now() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
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

std::string name_of_precision(at::ScalarType precision) { return precision == at::kFloat ? "float32" : "bfloat16"; }

FileAttributes make_attributes(const Manifest& manifest, const RunSettings& settings, const PreparedJob& job,
                               const std::string& created) {
  FileAttributes attributes;
  attributes.pleat_version = settings.pleat_version;
  attributes.created_utc = created;
  attributes.manifest_yaml = manifest.text;
  attributes.manifest_overrides = fmt::format("{}", fmt::join(manifest.overrides, "\n"));
  attributes.manifest_sha256 = manifest.sha256;
  attributes.model_name = manifest.model;
  attributes.precision = name_of_precision(job.precision);
  attributes.source_revision = settings.source_revision;
  attributes.untrained = job.config.language_model.untrained;
  return attributes;
}

LoadedModel load_model(const Checkpoint& checkpoint, const PreparedJob& job, const Manifest& manifest,
                       RunObserver& observer) {
  const auto start = Clock::now();
  return_freed_memory();
  LoadedModel model(checkpoint, job);
  keep_freed_memory();
  const Esm2Config& config = job.config.language_model;
  std::string parts = fmt::format("{} layers, width {}", config.num_hidden_layers, config.hidden_size);
  if (model.folding() != nullptr) parts += fmt::format(", {} folding blocks", job.config.fold->trunk.num_blocks);
  observer.info(fmt::format("loaded {} ({}) in {:.1f} s", manifest.model, parts, seconds_since(start)));
  if (config.untrained) {
    observer.warning(
        fmt::format("the weights of this model are UNTRAINED pseudo-random numbers; "
                    "trained ones come with: pleat model fetch {}",
                    job.config.fold ? "esmfold_v1" : "esm2_t6_8M_UR50D"));
  }
  return model;
}

// The folder for tasks.structure.formats, or nothing.
std::unique_ptr<StructureFolder> open_structure_folder(const Manifest& manifest, const RunSettings& settings,
                                                       const PreparedJob& job, const std::string& created) {
  const StructureTask& task = manifest.tasks.structure;
  if (!task.enabled || task.formats.empty()) return nullptr;
  const StructureOrigin origin{settings.pleat_version, manifest.model, created,
                               job.config.language_model.untrained ? schema::untrained_sentence : ""};
  return std::make_unique<StructureFolder>(
      structure_folder_of(manifest.resolve(manifest.output)), job.dataset, origin,
      StructureFolder::Options{task.formats, job.layout.structure_dtype, settings.overwrite});
}

std::optional<FoldTask> fold_task(const LoadedModel& model, const PreparedJob& job) {
  if (model.folding() == nullptr) return std::nullopt;
  return FoldTask{model.folding(), job.fold_request, job.chain_link};
}

// What is known of a run before its first batch.
RunSummary make_summary(const Manifest& manifest, const PreparedJob& job, const Esm2& model) {
  RunSummary summary;
  summary.output = manifest.resolve(manifest.output);
  summary.model = manifest.model;
  summary.precision = name_of_precision(job.precision);
  summary.untrained = job.config.language_model.untrained;
  summary.linear_flops_per_token = model.linear_flops_per_token();
  for (const Batch& batch : job.batches) summary.tokens += batch.tokens;
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

// One run, between its preparation and its summary.
class Run {
 public:
  Run(const Manifest& manifest, const RunSettings& settings, const PreparedJob& job, RunObserver& observer)
      : manifest_(manifest),
        settings_(settings),
        job_(job),
        observer_(observer),
        created_(utc_now()),
        checkpoint_(Checkpoint::open(job.model_folder)),
        outcomes_(job.dataset) {
    check_heads(manifest, esm2_parts(checkpoint_.tensors()));
    writer_.emplace(manifest.resolve(manifest.output), job.layout, job.dataset,
                    WriterOptions{settings.overwrite, settings.work_folder});
    folder_ = open_structure_folder(manifest, settings, job, created_);
  }

  RunSummary operator()(const StopFlag& stop) {
    const LoadedModel model = load_model(checkpoint_, job_, manifest_, observer_);
    throw_if_stopped(&stop);
    // Reading every byte of the weights once more goes on beside the work.
    ModelHash model_hash(checkpoint_);
    RunSummary summary = make_summary(manifest_, job_, model.language_model());
    CpuDevice device(model.language_model(), job_.tokenizer, job_.dataset.sequences, job_.layout,
                     fold_task(model, job_), stop);
    compute(device, stop, summary);
    add_folded(device.folded(), job_, summary);
    FileAttributes attributes = make_attributes(manifest_, settings_, job_, created_);
    attributes.devices = device.name();
    attributes.model_sha256 = model_hash.get();
    if (!model_hash.error().empty()) observer_.warning("the file holds no hash of the weights: " + model_hash.error());
    finish(attributes, summary);
    return summary;
  }

 private:
  void compute(Device& device, const StopFlag& stop, RunSummary& summary) {
    summary.seconds_startup = process_seconds();
    ProgressCount progress(job_, observer_);
    const auto consume = [&](SequenceResult result) {
      if (folder_ != nullptr) {
        if (const std::string reason = folder_->add(result); !reason.empty()) {
          add_note(result, "no_structure_file", reason);
        }
      }
      writer_->add(result);
      outcomes_.add(result);
      progress.add(result.row);
    };
    run_pipeline(job_.batches, job_.tokens, device, consume, stop);
    summary.seconds_forward = progress.seconds();
    summary.sequences = progress.now().sequences;
    summary.residues = progress.now().residues;
  }

  void finish(const FileAttributes& attributes, RunSummary& summary) {
    const auto start = Clock::now();
    // The folder stands before the file that tells of a finished run.
    const auto commit_folder = [&] {
      if (folder_ == nullptr) return;
      summary.structure_files = folder_->commit().files;
      summary.structures = structure_folder_of(summary.output);
    };
    summary.file_bytes = writer_->finish(attributes, commit_folder).file_bytes;
    summary.seconds_finish = seconds_since(start);
    outcomes_.count_records(summary);
    for (const std::string& line : outcomes_.warnings()) observer_.warning(line);
    summary.peak_rss_bytes = peak_rss_bytes();
    summary.seconds_total = process_seconds();
  }

  const Manifest& manifest_;
  const RunSettings& settings_;
  const PreparedJob& job_;
  RunObserver& observer_;
  std::string created_;
  Checkpoint checkpoint_;
  Outcomes outcomes_;
  std::optional<ResultWriter> writer_;
  std::unique_ptr<StructureFolder> folder_;
};

}  // namespace

RunSummary run_job(const Manifest& manifest, const RunSettings& settings, RunObserver& observer) {
  static const StopFlag never = 0;
  const StopFlag& stop = settings.stop != nullptr ? *settings.stop : never;
  const PreparedJob job = prepare_job(manifest, observer);
  throw_if_stopped(&stop);
  return Run(manifest, settings, job, observer)(stop);
}

}  // namespace pleat
