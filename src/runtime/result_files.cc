#include "runtime/result_files.h"

#include <cmath>
#include <utility>

#include "format/schema.h"
#include "results/result_reader.h"

namespace pleat {
namespace {

std::unique_ptr<StructureFolder> open_structure_folder(const Manifest& manifest, const RunSettings& settings,
                                                       const PreparedJob& job, const std::string& created_utc) {
  const StructureTask& task = manifest.tasks.structure;
  if (!task.enabled || task.formats.empty()) return nullptr;
  const StructureOrigin origin{settings.pleat_version, manifest.model, created_utc,
                               job.config.language_model.untrained ? schema::untrained_sentence : ""};
  return std::make_unique<StructureFolder>(
      structure_folder_of(manifest.resolve(manifest.output)), job.dataset, origin,
      StructureFolder::Options{task.formats, job.layout.structure_dtype, settings.overwrite});
}

// How good the interfaces of the complexes of a finished file are, earlier runs' too.
void rate_complexes(const Dataset& dataset, RunSummary& summary) {
  const ResultReader results(summary.output);
  const std::vector<float> iptm = results.floats(schema::iptm, 0, results.sequence_count());
  for (const Record& record : dataset.records) {
    if (record.sequence < 0) continue;
    const double found = iptm[static_cast<std::size_t>(record.sequence)];
    if (!std::isfinite(found)) continue;
    if (summary.complexes++ == 0 || found > summary.best_iptm) {
      summary.best_iptm = found;
      summary.best_complex = record.id;
    }
    summary.mean_iptm += found;
  }
  if (summary.complexes > 0) summary.mean_iptm /= static_cast<double>(summary.complexes);
}

}  // namespace

ResultFiles::ResultFiles(const Manifest& manifest, const RunSettings& settings, const PreparedJob& job,
                         const std::string& created_utc, const WriterOptions& options)
    : job_(job),
      writer_(manifest.resolve(manifest.output), job.layout, job.dataset, options),
      folder_(open_structure_folder(manifest, settings, job, created_utc)),
      outcomes_(job.dataset) {}

void ResultFiles::add(SequenceResult result) {
  if (folder_ != nullptr) {
    if (const std::string reason = folder_->add(result); !reason.empty()) {
      add_note(result, RecordCode::no_structure_file, reason);
    }
  }
  writer_.add(result);
  outcomes_.add(result);
}

void ResultFiles::take_up_earlier(const StopToken& stop) {
  writer_.replay(folder_ != nullptr, [&](const SequenceResult& result) {
    throw_if_stopped(&stop);
    if (folder_ != nullptr) static_cast<void>(folder_->add(result));
    outcomes_.add(result);
  });
}

void ResultFiles::finish(const FileAttributes& attributes, RunSummary& summary) {
  // The folder stands before the file that tells of a finished run.
  const auto commit_folder = [&] {
    if (folder_ == nullptr) return;
    summary.structure_files = folder_->commit().files;
    summary.structures = structure_folder_of(summary.output);
  };
  summary.file_bytes = writer_.finish(attributes, commit_folder).file_bytes;
  outcomes_.count_records(summary);
  if (const std::optional<VariantTable>& variants = job_.dataset.variants) {
    summary.variants = std::ssize(variants->rows);
    summary.variants_refused = variants->refused();
  }
  if (job_.layout.interfaces) rate_complexes(job_.dataset, summary);
}

}  // namespace pleat
