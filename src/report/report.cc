#include "report/report.h"

#include "core/error.h"
#include "report/multiqc.h"
#include "report/page.h"
#include "report/record_table.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;

// A run keeps its results in FILE.work until it ends.
void require_ended(const fs::path& file) {
  fs::path work = file;
  work += ".work";
  if (fs::exists(file) || !fs::is_directory(work)) return;
  throw Error(
      ErrorCode::missing_input, "'" + file.string() + "' is not there yet: its run has not ended",
      "when pleat run has written the file, make the report; the same command goes on with a run that was ended");
}

}  // namespace

Report make_report(const ReportOptions& options) {
  std::vector<ResultReader> files;
  for (const fs::path& file : options.files) {
    require_ended(file);
    files.emplace_back(file);
  }
  const RecordTable records = read_records(files);
  Report report;
  report.records = static_cast<std::int64_t>(records.size());
  report.multiqc = multiqc_table(files, records);
  report.html = page_of(files, records);
  return report;
}

}  // namespace pleat
