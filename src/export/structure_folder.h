// Structure files written while a run goes on, in a folder that appears under its name only when it is whole.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "export/structure.h"
#include "results/result_writer.h"
#include "sequence/dataset.h"

namespace pleat {

// Files are named after their records (see file_names.h), one per record and format, and index.tsv lists them all.
//
// During a run:
//   StructureFolder folder(structure_folder_of(output), ...);   // with the ResultWriter, before any weight is loaded
//   const std::string note = folder.add(result);                // before ResultWriter::add(), whose result takes it
//   writer.finish(attributes, [&] { folder.commit(); });        // the folder stands before the file that claims it
class StructureFolder {
 public:
  struct Options {
    std::vector<StructureFormat> formats;
    DType structure_dtype = DType::float16;  // as in the ResultLayout
    bool overwrite = false;                  // replace a folder of an earlier run
  };
  struct Summary {
    std::int64_t files = 0;
    std::int64_t without_file = 0;  // records that lack a file in one of the formats
  };

  // Makes FOLDER.partial. `dataset` must outlive the folder. Throws Error(cannot_create) where that cannot be done,
  // another run is at it, something is in the way of FOLDER, or FOLDER is to be replaced and holds files that pleat
  // did not write.
  StructureFolder(std::filesystem::path folder, const Dataset& dataset, StructureOrigin origin, Options options);
  // Without commit() nothing is left.
  ~StructureFolder();
  StructureFolder(const StructureFolder&) = delete;
  StructureFolder& operator=(const StructureFolder&) = delete;

  // Writes the files of every record of this sequence. One thread at a time. Returns why a format cannot hold the
  // structure, empty where all can; index.tsv says so too. A failed result leaves no file and is listed with its
  // message. Throws Error(io), or Error(retry) when the disk or the quota is full.
  std::string add(const SequenceResult& result);

  // Writes index.tsv, flushes all, and gives the folder its name; an older one is removed once the new one stands.
  // May be called again when it has thrown, and does nothing when it has succeeded. Throws like add().
  Summary commit();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// "results.h5" -> "results.structures", beside it.
[[nodiscard]] std::filesystem::path structure_folder_of(const std::filesystem::path& output);

}  // namespace pleat
