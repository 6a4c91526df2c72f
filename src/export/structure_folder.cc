#include "export/structure_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <span>

#include "core/error.h"
#include "core/file.h"
#include "core/half.h"
#include "core/locked_file.h"
#include "export/file_names.h"
#include "export/file_sink.h"
#include "export/structure_index.h"
#include "format/interfaces.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;

fs::path with_suffix(const fs::path& path, const char* suffix) {
  fs::path longer = path;
  longer += suffix;
  return longer;
}

bool is_ours(const fs::directory_entry& entry) {
  const fs::path name = entry.path().filename();
  return entry.is_regular_file() && !entry.is_symlink() &&
         (name == StructureIndex::file_name || name.extension() == ".pdb" || name.extension() == ".cif");
}

// Throws where the folder holds what pleat did not write: removing it would remove that too.
void check_only_ours(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(fs::symlink_status(folder, error))) {
    throw Error(ErrorCode::cannot_create, "'" + folder.string() + "' is there and is not a folder");
  }
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (is_ours(*entry)) continue;
    throw Error(ErrorCode::cannot_create,
                "'" + folder.string() + "' cannot be replaced: '" + entry->path().filename().string() +
                    "' in it was not written by pleat",
                "move that away, or choose another place with --output");
  }
  if (error) throw_system_error(error.value(), "read the folder", folder, ErrorCode::cannot_create);
}

void check_free(const fs::path& folder, bool overwrite) {
  if (!fs::exists(fs::symlink_status(folder))) return;
  if (!overwrite) {
    throw Error(ErrorCode::cannot_create, "'" + folder.string() + "' is there already",
                "replace it with --overwrite, or choose another place with --output");
  }
  check_only_ours(folder);
}

// A folder that only this run works in, removed unless it was renamed.
class StagedFolder {
 public:
  explicit StagedFolder(fs::path path) : path_(std::move(path)) {
    std::error_code error;
    fs::create_directory(path_, error);
    if (error) throw_system_error(error.value(), "create the folder", path_, ErrorCode::cannot_create);
    LockedFile locked = open_locked(path_);
    if (!locked.is_ours) {
      throw Error(ErrorCode::cannot_create, "another run is writing '" + path_.string() + "'",
                  "wait for that run to end, or choose another place with --output");
    }
    check_only_ours(path_);
    lock_ = std::move(locked.file);
    for (const fs::directory_entry& left : fs::directory_iterator(path_)) fs::remove(left.path());
    if (::access(path_.c_str(), W_OK | X_OK) != 0)
      throw_system_error(errno, "write in", path_, ErrorCode::cannot_create);
  }
  ~StagedFolder() {
    std::error_code ignored;
    if (lock_.is_open()) fs::remove_all(path_, ignored);
  }
  StagedFolder(const StagedFolder&) = delete;
  StagedFolder& operator=(const StagedFolder&) = delete;

  [[nodiscard]] const fs::path& path() const { return path_; }
  void flush() const {
    if (::syncfs(lock_.get()) != 0) throw_system_error(errno, "flush", path_, ErrorCode::io);
  }
  void rename_to(const fs::path& folder) {
    rename_durably(path_, folder);
    lock_ = FileDescriptor();
  }
  // Takes the place of a folder in one step, where the file system can do that. The older one is removed.
  void replace(const fs::path& folder) {
    if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, folder.c_str(), RENAME_EXCHANGE) == 0) {
      lock_ = FileDescriptor();
      fsync_parent(folder);
      remove_if_possible(path_);
      return;
    }
    if (errno != EINVAL && errno != ENOSYS) throw_system_error(errno, "replace", folder, ErrorCode::io);
    const fs::path old = with_suffix(folder, ".old");
    if (fs::exists(fs::symlink_status(old))) {
      check_only_ours(old);
      fs::remove_all(old);
    }
    rename_durably(folder, old);
    try {
      rename_to(folder);
    } catch (...) {
      std::error_code ignored;
      fs::rename(old, folder, ignored);
      throw;
    }
    remove_if_possible(old);
  }

 private:
  static void fsync_parent(const fs::path& folder) {
    fsync_path(folder.has_parent_path() ? folder.parent_path() : fs::path("."));
  }
  static void remove_if_possible(const fs::path& folder) {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  }

  fs::path path_;
  FileDescriptor lock_;
};

std::vector<float> floats_from(std::span<const std::byte> bytes, DType type) {
  std::vector<float> values(bytes.size() / size_of(type));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::byte* const place = bytes.data() + i * size_of(type);
    std::uint16_t half = 0;
    if (type == DType::float16) {
      std::memcpy(&half, place, sizeof half);
      values[i] = float_from_half(half);
    } else {
      std::memcpy(&values[i], place, sizeof(float));
    }
  }
  return values;
}

Structure structure_of(const SequenceResult& result, const SequenceTable& sequences, DType type) {
  Structure structure;
  structure.residues = sequences.residues(result.row);
  const std::span<const std::uint16_t> chain = sequences.chain(result.row);
  structure.chain.assign(chain.begin(), chain.end());
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const bool goes_on = i > 0 && chain[i] == chain[i - 1];
    structure.residue_number.push_back(goes_on ? structure.residue_number.back() + 1 : 1);
  }
  structure.positions = result.structure.positions;
  structure.atom_mask = result.structure.atom_mask;
  structure.plddt = floats_from(result.structure.plddt, type);
  structure.mean_plddt = result.structure.mean_plddt;
  structure.ptm = result.structure.ptm;
  structure.interfaces = interfaces_of(result);
  return structure;
}

}  // namespace

struct StructureFolder::Impl {
  // What became of one unique sequence.
  struct Outcome {
    bool added = false;
    bool failed = false;
    float mean_plddt = std::numeric_limits<float>::quiet_NaN();
    float ptm = std::numeric_limits<float>::quiet_NaN();
    float iptm = std::numeric_limits<float>::quiet_NaN();
    std::string message;               // why it failed
    std::vector<std::string> against;  // parallel to the formats: why there is no file
  };

  Impl(fs::path final_folder, const Dataset& data, StructureOrigin made_by, Options chosen)
      : folder((check_free(final_folder, chosen.overwrite), std::move(final_folder))),
        dataset(data),
        origin(std::move(made_by)),
        options(std::move(chosen)),
        staged(with_suffix(folder, ".partial")),
        outcomes(static_cast<std::size_t>(data.sequences.size())),
        records_of(static_cast<std::size_t>(data.sequences.size())) {
    FileNames file_names;
    for (std::size_t i = 0; i < data.records.size(); ++i) {
      names.push_back(file_names.next(data.records[i].id));
      if (data.records[i].sequence >= 0) records_of[static_cast<std::size_t>(data.records[i].sequence)].push_back(i);
    }
  }

  [[nodiscard]] std::string file_of(std::size_t record, StructureFormat format) const {
    return names[record] + "." + std::string(name_of(format));
  }
  void add_index_lines(std::size_t number, StructureIndex& index, Summary& counts) const;
  void publish();

  fs::path folder;
  const Dataset& dataset;
  StructureOrigin origin;
  Options options;
  StagedFolder staged;
  std::vector<Outcome> outcomes;
  std::vector<std::vector<std::size_t>> records_of;  // of each sequence
  std::vector<std::string> names;                    // of each record
  bool is_committed = false;
  Summary summary;
};

// One line per format; a single one for a record that has no structure.
void StructureFolder::Impl::add_index_lines(std::size_t number, StructureIndex& index, Summary& counts) const {
  const Record& record = dataset.records[number];
  IndexLine line;
  line.record = &record;
  line.record_number = static_cast<std::int64_t>(number);
  line.status = record.status;
  line.mean_plddt = line.ptm = line.iptm = std::numeric_limits<float>::quiet_NaN();
  line.reason = record.message;
  if (record.sequence >= 0) {
    const Outcome& outcome = outcomes[static_cast<std::size_t>(record.sequence)];
    line.length = dataset.sequences.length(record.sequence);
    line.mean_plddt = outcome.mean_plddt;
    line.ptm = outcome.ptm;
    line.iptm = outcome.iptm;
    if (outcome.added && !outcome.failed) {
      bool lacks_one = false;
      for (std::size_t i = 0; i < options.formats.size(); ++i) {
        line.reason = outcome.against[i];
        line.file = line.reason.empty() ? file_of(number, options.formats[i]) : "";
        if (line.file.empty()) {
          lacks_one = true;
        } else {
          ++counts.files;
        }
        index.add(line);
      }
      if (lacks_one) ++counts.without_file;
      return;
    }
    if (record.status == RecordStatus::ok) {
      line.status = RecordStatus::failed;
      line.reason = outcome.failed ? outcome.message : "the run ended before this sequence was computed";
    }
  }
  ++counts.without_file;
  index.add(line);
}

void StructureFolder::Impl::publish() {
  check_free(folder, options.overwrite);  // something else may have made it during the run
  if (fs::exists(fs::symlink_status(folder))) {
    staged.replace(folder);
  } else {
    staged.rename_to(folder);
  }
}

StructureFolder::StructureFolder(fs::path folder, const Dataset& dataset, StructureOrigin origin, Options options)
    : impl_(std::make_unique<Impl>(std::move(folder), dataset, std::move(origin), std::move(options))) {}

StructureFolder::~StructureFolder() = default;

std::string StructureFolder::add(const SequenceResult& result) {
  const auto row = static_cast<std::size_t>(result.row);
  if (result.row < 0 || row >= impl_->outcomes.size()) {
    throw Error(ErrorCode::internal, "there is no sequence row " + std::to_string(result.row));
  }
  Impl::Outcome outcome;
  outcome.added = true;
  outcome.failed = result.failed;
  std::string note;
  if (result.failed) {
    outcome.message = result.message;
  } else {
    outcome.mean_plddt = result.structure.mean_plddt;
    outcome.ptm = result.structure.ptm;
    Structure structure = structure_of(result, impl_->dataset.sequences, impl_->options.structure_dtype);
    if (structure.interfaces.is_complex()) outcome.iptm = structure.interfaces.iptm.front();
    for (const StructureFormat format : impl_->options.formats) {
      const std::string reason = reason_against(structure, format);
      outcome.against.push_back(reason);
      if (!reason.empty()) {
        note += (note.empty() ? "" : "; ") + ("no ." + std::string(name_of(format)) + " file: ") + reason;
        continue;
      }
      for (const std::size_t record : impl_->records_of[row]) {
        structure.id = impl_->dataset.records[record].id;
        structure.description = impl_->dataset.records[record].description;
        write_new_file(impl_->staged.path() / impl_->file_of(record, format),
                       structure_text(structure, format, impl_->origin));
      }
    }
  }
  impl_->outcomes[row] = std::move(outcome);
  return note;
}

StructureFolder::Summary StructureFolder::commit() {
  if (impl_->is_committed) return impl_->summary;
  StructureIndex index;
  Summary counts;
  for (std::size_t number = 0; number < impl_->dataset.records.size(); ++number) {
    impl_->add_index_lines(number, index, counts);
  }
  write_new_file(impl_->staged.path() / StructureIndex::file_name, index.text());
  impl_->staged.flush();
  impl_->publish();
  impl_->is_committed = true;
  return impl_->summary = counts;
}

fs::path structure_folder_of(const fs::path& output) {
  fs::path folder = output;
  return folder.replace_extension(".structures");
}

}  // namespace pleat
