#include "report/multiqc.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <filesystem>

#include "core/printable.h"

namespace pleat {
namespace {

constexpr const char* head =
    "# id: 'pleat'\n"
    "# section_name: 'pleat'\n"
    "# description: 'Embeddings and structures of protein sequences: what became of the records of each result file.'\n"
    "# plot_type: 'table'\n"
    "# pconfig:\n"
    "#     id: 'pleat_table'\n"
    "#     title: 'pleat'\n"
    "Sample\tRecords\tOK\tRejected\tFailed\tSkipped\tResidues\tComputing seconds\tMean pLDDT\n";

// MultiQC joins the numbers of a sample from many programs by its name.
std::string sample_name(const std::filesystem::path& file) {
  constexpr std::size_t longest = 200;
  return printable((file.extension() == ".h5" ? file.stem() : file.filename()).string(), longest);
}

}  // namespace

std::string multiqc_table(const std::vector<ResultReader>& files, const RecordTable& records) {
  std::string text = head;
  for (std::size_t file = 0; file < files.size(); ++file) {
    const StatusCounts counts = files[file].count_by_status();
    double seconds = 0;
    double confidence = 0;
    std::int64_t structures = 0;
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (records.file[i] != file) continue;
      if (records.is_first[i] != 0 && std::isfinite(records.seconds[i])) seconds += records.seconds[i];
      if (!std::isfinite(records.mean_plddt[i])) continue;
      confidence += records.mean_plddt[i];
      ++structures;
    }
    text += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{:.1f}\t{}\n", sample_name(files[file].file()),
                        files[file].record_count(), counts.ok, counts.rejected, counts.failed, counts.skipped,
                        files[file].residue_count(), seconds,
                        structures > 0 ? fmt::format("{:.2f}", confidence / static_cast<double>(structures)) : "");
  }
  return text;
}

}  // namespace pleat
