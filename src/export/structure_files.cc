#include "export/structure_files.h"

#include <limits>
#include <set>

#include "core/error.h"
#include "core/printable.h"
#include "export/confidence_json.h"
#include "export/file_names.h"
#include "export/file_sink.h"
#include "export/record_selection.h"
#include "export/structure_index.h"

namespace pleat {
namespace {

void require_structures(const ResultReader& results) {
  if (results.has_structures()) return;
  throw Error(ErrorCode::usage, "'" + results.file().string() + "' holds no structures to export",
              "only a folding model makes structures; the sequences can be had with --format fasta");
}

void require_pae(const ResultReader& results) {
  if (results.has_pae()) return;
  throw Error(ErrorCode::usage,
              "'" + results.file().string() + "' holds no PAE, which JSON for AlphaFold's readers is of",
              "fold with tasks.structure.pae: true");
}

// What the files of a record are called.
struct RecordFiles {
  std::string structure;
  std::string confidences;  // empty where none are asked for; likewise:
  std::string summary;

  [[nodiscard]] std::vector<std::string> all() const {
    return confidences.empty() ? std::vector{structure} : std::vector{structure, confidences, summary};
  }
};

// Gives each record names of its own, whatever other records are called.
class RecordNames {
 public:
  explicit RecordNames(const StructureExport& request) : request_(request) {}

  RecordFiles next(const std::string& id) {
    std::string name = names_.next(id);
    if (!request_.with_confidences) return {name + "." + std::string(name_of(request_.format)), {}, {}};
    // A record called x_summary would have the confidences where x has the summary.
    while (taken_.contains(name + "_confidences.json") || taken_.contains(name + "_summary_confidences.json")) {
      name += "_";
    }
    RecordFiles files{name + "_model.cif", name + "_confidences.json", name + "_summary_confidences.json"};
    taken_.insert({files.confidences, files.summary});
    return files;
  }

 private:
  const StructureExport& request_;
  FileNames names_;
  std::set<std::string> taken_;
};

// Writes one record after the other and counts.
class Exporter {
 public:
  Exporter(const ResultReader& results, StructureFormat format, FileSink& sink)
      : results_(results), origin_(origin_of(results)), format_(format), sink_(sink) {}

  void add(std::int64_t number, const Record& record, const RecordFiles& files) {
    IndexLine line;
    line.record = &record;
    line.record_number = number;
    line.status = record.status;
    line.mean_plddt = line.ptm = line.iptm = std::numeric_limits<float>::quiet_NaN();
    if (record.sequence >= 0) write(record, files, line);
    if (line.file.empty() && line.reason.empty()) {
      line.reason = record.message.empty() ? "never computed" : record.message;
      ++summary_.not_computed;
      summary_.left_out.push_back({record.id, line.reason});
    }
    index_.add(line);
  }

  StructureExportSummary finish() {
    sink_.add(StructureIndex::file_name, index_.text());
    sink_.finish();
    return summary_;
  }

 private:
  void write(const Record& record, const RecordFiles& files, IndexLine& line) {
    StoredSequence sequence = results_.sequence(record.sequence);
    line.length = std::ssize(sequence.residues);
    StoredStructure stored = results_.structure(record.sequence);
    if (!stored.computed()) return;
    line.mean_plddt = stored.mean_plddt;
    line.ptm = stored.ptm;
    if (stored.interfaces.is_complex()) line.iptm = stored.interfaces.iptm.front();
    const Structure structure = structure_of(record, std::move(sequence), std::move(stored));
    line.reason = reason_against(structure, format_);
    if (line.reason.empty()) {
      sink_.add(files.structure, structure_text(structure, format_, origin_));
      if (!files.confidences.empty()) {
        const std::vector<float> pae = results_.pae(record.sequence);
        sink_.add(files.confidences, confidences_json(structure, pae));
        sink_.add(files.summary, summary_json(structure, pae, origin_));
      }
      line.file = files.structure;
      ++summary_.files;
    } else {
      ++summary_.cannot_hold;
      summary_.cif_holds_more = summary_.cif_holds_more || only_pdb_cannot(structure);
      summary_.left_out.push_back({record.id, line.reason, true});
    }
  }

  const ResultReader& results_;
  StructureOrigin origin_;
  StructureFormat format_;
  FileSink& sink_;
  StructureIndex index_;
  StructureExportSummary summary_;
};

}  // namespace

Structure structure_of(const Record& record, StoredSequence sequence, StoredStructure stored) {
  Structure structure;
  structure.id = record.id;
  structure.description = record.description;
  structure.residues = std::move(sequence.residues);
  structure.chain = std::move(stored.chain);
  structure.residue_number = std::move(stored.residue_number);
  structure.positions = std::move(stored.positions);
  structure.atom_mask = std::move(stored.atom_mask);
  structure.plddt = std::move(stored.plddt);
  structure.mean_plddt = stored.mean_plddt;
  structure.ptm = stored.ptm;
  structure.interfaces = std::move(stored.interfaces);
  return structure;
}

StructureExportSummary export_structures(const ResultReader& results, const StructureExport& request) {
  require_structures(results);
  if (request.with_confidences) require_pae(results);
  const std::set<std::string> wanted(request.ids.begin(), request.ids.end());
  check_ids(results, wanted, false);
  const bool to_archive = is_archive(request.output);
  const std::unique_ptr<FileSink> sink =
      to_archive ? open_archive(request.output, results.attributes().created_utc, request.overwrite)
                 : open_folder(request.output, request.overwrite);
  // Names depend on all records, so that the same record always gets the same name.
  const auto for_each_wanted = [&](const auto& visit) {
    RecordNames names(request);
    for_each_record(results, [&](std::int64_t number, const Record& record) {
      const RecordFiles files = names.next(record.id);
      if (wanted.empty() || wanted.contains(record.id)) visit(number, record, files);
    });
  };
  sink->check_free(StructureIndex::file_name);
  for_each_wanted([&](std::int64_t, const Record&, const RecordFiles& files) {
    for (const std::string& file : files.all()) sink->check_free(file);
  });
  Exporter exporter(results, request.format, *sink);
  for_each_wanted([&](std::int64_t number, const Record& record, const RecordFiles& files) {
    throw_if_stopped(request.stop);
    exporter.add(number, record, files);
  });
  StructureExportSummary summary = exporter.finish();
  summary.index = to_archive ? request.output : request.output / StructureIndex::file_name;
  return summary;
}

std::string export_structure(const ResultReader& results, StructureFormat format, const std::string& id) {
  require_structures(results);
  check_ids(results, {id}, true);
  Record found;
  std::int64_t count = 0;
  for_each_record(results, [&](std::int64_t /*number*/, const Record& record) {
    if (record.id == id && count++ == 0) found = record;
  });
  if (count > 1) {
    throw Error(ErrorCode::bad_input, std::to_string(count) + " records are called '" + printable(id) + "'",
                "write them to a folder with --output DIR");
  }
  StoredStructure stored = results.structure(found.sequence);
  if (!stored.computed()) {
    throw Error(ErrorCode::bad_input, "'" + printable(id) + "' has no structure: " + printable(found.message, 200));
  }
  return structure_text(structure_of(found, results.sequence(found.sequence), std::move(stored)), format,
                        origin_of(results));
}

}  // namespace pleat
