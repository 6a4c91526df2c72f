// From a result file to one structure file per record.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/stop.h"
#include "export/structure.h"
#include "results/result_reader.h"

namespace pleat {

// A record's structure, as it is written.
[[nodiscard]] Structure structure_of(const Record& record, StoredSequence sequence, StoredStructure stored);

struct StructureExport {
  StructureFormat format = StructureFormat::pdb;
  std::vector<std::string> ids;  // empty: every record
  // A folder, made where needed, or an archive: .tar, .tar.gz, .tgz.
  std::filesystem::path output;
  bool overwrite = false;
  // Each structure as NAME_model.cif, and beside it NAME_confidences.json and NAME_summary_confidences.json.
  bool with_confidences = false;
  const StopToken* stop = nullptr;  // may be null
};

// A record that has no file, and why.
struct LeftOut {
  std::string id;
  std::string reason;
  bool was_computed = false;  // the format cannot hold it; else it was refused or failed before
};

struct StructureExportSummary {
  std::filesystem::path index;    // index.tsv, or the archive that holds it
  std::int64_t files = 0;         // written
  std::int64_t not_computed = 0;  // records that were refused or whose structure was never computed
  std::int64_t cannot_hold = 0;   // records whose structure the format cannot hold
  bool cif_holds_more = false;    // some of those only for the limits of PDB
  std::vector<LeftOut> left_out;  // both, in their order
};

// Files are named after their records (see file_names.h), whatever `ids` says; index.tsv lists every record asked for,
// those without a file too. Throws Error(usage) where the file has no structures, or no PAE where confidences are asked
// for; Error(bad_input) where an id is not there or the file is damaged; Error(cannot_create), also where a file is in
// the way, before anything is written; Error(io), Error(retry), Stopped. Each file is either whole or not
// there.
StructureExportSummary export_structures(const ResultReader& results, const StructureExport& request);

// The file of the one record of that id. Throws Error(bad_input) where there is none, or not exactly one.
[[nodiscard]] std::string export_structure(const ResultReader& results, StructureFormat format, const std::string& id);

}  // namespace pleat
