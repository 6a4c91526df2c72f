#include "runtime/result_files.h"

#include <utility>

#include "store/schema.h"

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

}  // namespace

ResultFiles::ResultFiles(const Manifest& manifest, const RunSettings& settings, const PreparedJob& job,
                         const std::string& created_utc, const WriterOptions& options)
    : writer_(manifest.resolve(manifest.output), job.layout, job.dataset, options),
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

void ResultFiles::take_up_earlier(const StopFlag& stop) {
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
}

}  // namespace pleat
