// What a run writes: the result file, the folder of structure files where one is asked for, and the count of outcomes.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "core/stop.h"
#include "export/structure_folder.h"
#include "results/result_writer.h"
#include "runtime/job.h"
#include "runtime/outcomes.h"
#include "runtime/prepare.h"

namespace pleat {

class ResultFiles {
 public:
  // `job` must outlive this object. Throws like ResultWriter and StructureFolder.
  ResultFiles(const Manifest& manifest, const RunSettings& settings, const PreparedJob& job,
              const std::string& created_utc, const WriterOptions& options);

  [[nodiscard]] ResultWriter& writer() { return writer_; }
  [[nodiscard]] const Outcomes& outcomes() const { return outcomes_; }

  // Throws like ResultWriter::add().
  void add(SequenceResult result);
  // Takes up what an earlier run has left in the work folder. Throws Stopped too.
  void take_up_earlier(const StopToken& stop);
  // Gives everything its name, and tells the summary of it.
  void finish(const FileAttributes& attributes, RunSummary& summary);

 private:
  const PreparedJob& job_;
  ResultWriter writer_;
  std::unique_ptr<StructureFolder> folder_;  // null without tasks.structure.formats
  Outcomes outcomes_;
};

}  // namespace pleat
