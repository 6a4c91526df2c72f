#include "report/report.h"

#include "core/error.h"
#include "report/blob.h"
#include "report/color_table.h"
#include "report/details.h"
#include "report/multiqc.h"
#include "report/page.h"
#include "report/projection.h"
#include "report/record_table.h"
#include "report/web_files.h"

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
      "when pleat run has written the file, make the report; the same command resumes it with a run that was ended");
}

Details without_details(const RecordTable& records) {
  Details none;
  none.place.assign(records.size(), -1);
  return none;
}

}  // namespace

Report make_report(const ReportOptions& options) {
  std::vector<ResultReader> files;
  for (const fs::path& file : options.files) {
    require_ended(file);
    files.emplace_back(file);
  }
  const RecordTable records = read_records(files);
  const EmbeddingProjection projection = project(files, records);
  const Colors colors = read_colors(options.color, records);
  Report report;
  report.records = static_cast<std::int64_t>(records.size());
  report.multiqc = multiqc_table(files, records);
  // How large the page is without them decides how much room the structures have.
  const std::size_t others = page_of({files, records, projection, colors, without_details(records)}).size();
  const std::int64_t viewer = std::ssize(data_element("data-viewer", web::molecule_viewer()));
  const Details details =
      make_details(files, records, options.structures, usual_page_bytes - static_cast<std::int64_t>(others) - viewer);
  report.html = page_of({files, records, projection, colors, details});
  report.structures = details.structures;
  report.notes = projection.notes;
  report.notes.insert(report.notes.end(), details.notes.begin(), details.notes.end());
  return report;
}

}  // namespace pleat
