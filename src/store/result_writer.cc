#include "store/result_writer.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "store/assembly.h"
#include "store/chunk_writer.h"
#include "store/early_assembly.h"
#include "store/flush.h"
#include "store/guarded_file.h"
#include "store/hdf5_types.h"
#include "store/journal.h"
#include "store/part_stream.h"
#include "store/partial_file.h"
#include "store/record_parts.h"
#include "store/record_tables.h"
#include "store/schema.h"
#include "store/segment_store.h"
#include "store/work_folder.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;

void check_layout(const ResultLayout& layout) {
  const bool has_layers = !layout.layers.empty();
  if (has_layers && layout.width <= 0) throw Error(ErrorCode::internal, "embeddings need a width");
  if (layout.logits && layout.alphabet.empty()) throw Error(ErrorCode::internal, "logits need an alphabet");
  if (layout.pae && !layout.structure) throw Error(ErrorCode::internal, "pae needs structures");
  static_cast<void>(parts_of(layout));  // knows which types can be stored
}

// "a was 1 and is 2; b was 3 and is 4"; empty where nothing differs.
std::string differences(const NamedValues& before, const NamedValues& now) {
  std::string text;
  const auto add = [&](const std::string& name, const std::string& was, const std::string& is) {
    if (was == is) return;
    text += (text.empty() ? "" : "; ") + name + " was '" + was + "' and is '" + is + "'";
  };
  for (const auto& [name, value] : now) add(name, value_of(before, name), value);
  for (const auto& [name, value] : before) {
    if (value_of(now, name).empty()) add(name, value, "");
  }
  return text;
}

[[noreturn]] void throw_other_run(const fs::path& folder, const std::string& what_differs) {
  throw Error(ErrorCode::cannot_create,
              "'" + folder.string() + "' holds the results of a run that this one cannot go on with: " + what_differs,
              "finish that run with what it was begun with, give up its results with --restart, or choose another "
              "place with --work-dir");
}

// A run that is bound to fill the disk is refused before a night has gone into it.
void check_room(const fs::path& work_folder, std::int64_t needed) {
  std::error_code error;
  const fs::space_info space = fs::space(work_folder, error);
  if (error || static_cast<std::uintmax_t>(needed) <= space.available) return;
  const auto megabytes = [](auto bytes) { return std::to_string(bytes / 1'000'000) + " MB"; };
  throw Error(ErrorCode::retry,
              "the results take " + megabytes(needed) + " before they are compressed, and '" + work_folder.string() +
                  "' has " + megabytes(space.available) + " free",
              "make room on that disk, or choose another place with --work-dir");
}

}  // namespace

namespace {

// What libraries say in their errors need not be UTF-8; the journal and the file hold nothing else.
std::string valid_utf8(const std::string& text) {
  using Json = nlohmann::json;
  return Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace));
}

// What the journal keeps of a result.
SequenceResult without_numbers(const SequenceResult& result) {
  SequenceResult kept;
  kept.row = result.row;
  kept.seconds = result.seconds;
  kept.attempts = result.attempts;
  kept.rung = result.rung;
  kept.device = result.device;
  kept.failed = result.failed;
  kept.error_code = result.error_code;
  kept.message = valid_utf8(result.message);
  return kept;
}

}  // namespace

struct ResultWriter::Impl {
  Impl(fs::path output_path, ResultLayout result_layout, const Dataset& data, const WriterOptions& options)
      : output((check_output(output_path, options.overwrite), check_layout(result_layout), std::move(output_path))),
        layout(std::move(result_layout)),
        dataset(data),
        overwrite(options.overwrite),
        stop(options.stop),
        parts(parts_of(layout)),
        work(work_folder_of(output, options.work_folder), options.work_folder.empty()),
        partial(output),
        index(data.sequences.size()),
        outcomes(data.sequences.size()) {
    try {
      open_work(options);
      check_room(work.path(), bytes_to_come());
    } catch (...) {
      leave_work();
      throw;
    }
  }
  ~Impl() {
    early.reset();  // it reads what is in the work folder
    leave_work();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  Impl(Impl&&) = delete;
  Impl& operator=(Impl&&) = delete;

  std::vector<Unflushed> unflushed();
  void open_work(const WriterOptions& options);
  void leave_work() const noexcept {
    if (!has_results) work.clear();
  }
  std::optional<JournalState> find_earlier(const WriterOptions& options) const;
  void take_up(const JournalEntry& entry, std::set<std::int64_t>& damaged);
  StructureResult read_structure(std::int64_t row);
  std::int64_t bytes_to_come() const;
  std::unique_ptr<Assembly> make_assembly();
  void assemble_early(std::vector<bool> to_come);
  void tell_early();
  void give_up_early();
  RecordPlace append(std::int64_t row, const std::vector<std::span<const std::byte>>& bytes);
  void write_partial(const FileAttributes& attributes);
  void write_tables(const hdf5::File& file, const GuardedFile& guard, const FileAttributes& attributes);
  void write_pair_offsets(const hdf5::File& file, const GuardedFile& guard, const char* path) const;
  void check_sizes(const SequenceResult& result, const std::vector<std::span<const std::byte>>& bytes) const;

  fs::path output;
  ResultLayout layout;
  const Dataset& dataset;
  bool overwrite;
  const StopFlag* stop;
  std::vector<Part> parts;
  WorkFolder work;
  PartialFile partial;
  std::unique_ptr<SegmentStore> segments;
  std::unique_ptr<Journal> journal;
  RecordIndex index;
  SequenceOutcomes outcomes;
  EarlierResults earlier;
  std::vector<std::int64_t> earlier_rows;
  bool has_results = true;  // in the work folder, and not in the file; also as long as nobody has looked
  Flusher flusher;
  std::chrono::steady_clock::time_point last_sync = std::chrono::steady_clock::now();
  std::vector<bool> to_come;  // of each row, whether it may still be added while the file is put together
  std::int64_t settled = 0;   // rows before which none is to come
  std::unique_ptr<EarlyAssembly> early;
};

// Nothing where there is nothing to go on with.
std::optional<JournalState> ResultWriter::Impl::find_earlier(const WriterOptions& options) const {
  const fs::path file = work.path() / Journal::file_name;
  if (options.restart) return std::nullopt;
  std::int64_t entries = 0;
  std::optional<JournalState> state = Journal::read(file, [&](const JournalEntry&) { ++entries; });
  if (!state || (entries == 0 && state->lost.empty())) return std::nullopt;
  const std::string what = differences(state->identity.same, options.identity.same);
  if (!what.empty()) throw_other_run(work.path(), what);
  // Cut off before its weights were known: nobody can say whether they were these.
  if (state->model_sha256.empty()) return std::nullopt;
  const std::string model = options.model_sha256 ? options.model_sha256() : "";
  if (model != state->model_sha256) {
    throw_other_run(work.path(), differences({{"model_sha256", state->model_sha256}}, {{"model_sha256", model}}));
  }
  return state;
}

void ResultWriter::Impl::open_work(const WriterOptions& options) {
  const fs::path file = work.path() / Journal::file_name;
  const std::optional<JournalState> state = find_earlier(options);
  if (!state) {
    work.clear();
    has_results = false;
  }
  segments = std::make_unique<SegmentStore>(work.path());
  if (!state) {
    journal = std::make_unique<Journal>(file, options.identity);
    return;
  }
  std::set<std::int64_t> damaged;
  static_cast<void>(Journal::read(file, [&](const JournalEntry& entry) { take_up(entry, damaged); }));
  journal = std::make_unique<Journal>(file, *state);
  earlier.sequences = std::ssize(earlier_rows);
  earlier.damaged = std::ssize(damaged);
  for (const auto& [row, count] : state->lost) {
    if (row < 0 || row >= dataset.sequences.size() || !outcomes.is_known(row)) earlier.lost[row] = count;
  }
}

void ResultWriter::Impl::take_up(const JournalEntry& entry, std::set<std::int64_t>& damaged) {
  throw_if_stopped(stop);
  const SequenceResult& result = entry.result;
  if (result.row < 0 || result.row >= dataset.sequences.size() || outcomes.is_known(result.row)) return;
  if (!result.failed) {
    const std::vector<std::uint64_t> sizes = sizes_of(parts, dataset.sequences.length(result.row));
    if (!segments->is_whole(entry.place, result.row, sizes)) {
      damaged.insert(result.row);
      return;
    }
    index.set(result.row, entry.place.position);
  }
  damaged.erase(result.row);
  outcomes.keep(result);
  earlier_rows.push_back(result.row);
}

StructureResult ResultWriter::Impl::read_structure(std::int64_t row) {
  const std::vector<std::uint64_t> sizes = sizes_of(parts, dataset.sequences.length(row));
  std::uint64_t position = index[row];
  StructureResult structure;
  const auto read = [&](std::size_t part, auto& values) {
    values.resize(sizes[part] / sizeof(values.front()));
    segments->read(position, std::as_writable_bytes(std::span(values)));
  };
  const auto read_one = [&](auto& value) { segments->read(position, std::as_writable_bytes(std::span(&value, 1))); };
  for (std::size_t part = 0; part < parts.size(); ++part) {
    position += sizeof(PartHead);
    const std::string& path = parts[part].path;
    if (path == schema::positions) read(part, structure.positions);
    if (path == schema::atom_mask) read(part, structure.atom_mask);
    if (path == schema::plddt) read(part, structure.plddt);
    if (path == schema::mean_plddt) read_one(structure.mean_plddt);
    if (path == schema::ptm) read_one(structure.ptm);
    if (path == schema::recycles) read_one(structure.recycles);
    position += sizes[part];
  }
  return structure;
}

std::int64_t ResultWriter::Impl::bytes_to_come() const {
  std::int64_t bytes = 0;
  for (std::int64_t row = 0; row < dataset.sequences.size(); ++row) {
    if (outcomes.is_known(row)) continue;
    for (const std::uint64_t size : sizes_of(parts, dataset.sequences.length(row))) {
      bytes += static_cast<std::int64_t>(size);
    }
  }
  return bytes;
}

void ResultWriter::Impl::check_sizes(const SequenceResult& result,
                                     const std::vector<std::span<const std::byte>>& bytes) const {
  const std::int64_t length = dataset.sequences.length(result.row);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto expected = static_cast<std::size_t>(rows_of(parts[i].extent, length) * parts[i].row_bytes());
    if (bytes[i].size() == expected) continue;
    throw Error(ErrorCode::internal, "the result of sequence row " + std::to_string(result.row) + " has " +
                                         std::to_string(bytes[i].size()) + " bytes for " + parts[i].path +
                                         " instead of " + std::to_string(expected));
  }
}

void ResultWriter::Impl::write_pair_offsets(const hdf5::File& file, const GuardedFile& guard, const char* path) const {
  std::vector<std::int64_t> offsets{0};
  for (std::int64_t row = 0; row < dataset.sequences.size(); ++row) {
    offsets.push_back(offsets.back() + rows_of(Extent::pair, dataset.sequences.length(row)));
  }
  write_chunked(file, guard, {path, static_cast<std::int64_t>(offsets.size())}, hdf5::copy_of(H5T_STD_I64LE),
                bytes_from(std::as_bytes(std::span(offsets))));
}

void ResultWriter::Impl::write_tables(const hdf5::File& file, const GuardedFile& guard,
                                      const FileAttributes& attributes) {
  write_attributes(file, attributes);
  if (dataset.shard) write_shard(file, guard, *dataset.shard);
  write_records(file, guard, dataset.records, outcomes);
  if (!dataset.inputs.empty()) write_inputs(file, guard, dataset.inputs);
  write_sequences(file, guard, dataset.sequences);
  for (const Part& part : parts) {
    if (!part.units.empty()) write_text(file, part.path, schema::attr_units, part.units);
  }
  if (layout.logits) write_text_list(file, schema::logits, schema::attr_alphabet, layout.alphabet);
  if (layout.contacts) write_pair_offsets(file, guard, schema::contact_offsets);
  if (layout.pae) write_pair_offsets(file, guard, schema::pae_offsets);
  if (layout.structure) write_structure_tables(file, guard, dataset.sequences);
  hdf5::require(H5Fflush(file.get(), H5F_SCOPE_GLOBAL), "flush the result file");
}

ResultWriter::ResultWriter(fs::path output, ResultLayout layout, const Dataset& dataset, const WriterOptions& options)
    : impl_(std::make_unique<Impl>(std::move(output), std::move(layout), dataset, options)) {}

ResultWriter::~ResultWriter() = default;

const EarlierResults& ResultWriter::earlier() const { return impl_->earlier; }

bool ResultWriter::is_done(std::int64_t row) const { return impl_->outcomes.is_known(row); }

void ResultWriter::replay(bool structures, const std::function<void(const SequenceResult&)>& see) {
  for (const std::int64_t row : impl_->earlier_rows) {
    SequenceResult result;
    result.row = row;
    const auto* const failure = impl_->outcomes.failure(row);
    const auto* const reason = failure != nullptr ? failure : impl_->outcomes.note_on(row);
    result.failed = failure != nullptr;
    if (reason != nullptr) {
      result.error_code = reason->error_code;
      result.message = reason->message;
    }
    if (structures && !result.failed) result.structure = impl_->read_structure(row);
    see(result);
  }
}

void ResultWriter::assemble_early(std::vector<bool> to_come) { impl_->assemble_early(std::move(to_come)); }

void ResultWriter::add(const SequenceResult& result) {
  impl_->outcomes.check_new(result.row);
  if (impl_->early != nullptr && !impl_->to_come[static_cast<std::size_t>(result.row)]) {
    throw Error(ErrorCode::internal, "sequence row " + std::to_string(result.row) + " was not to come");
  }
  JournalEntry entry;
  if (!result.failed) {
    const std::vector<std::span<const std::byte>> bytes = bytes_of(result, impl_->layout);
    impl_->check_sizes(result, bytes);
    entry.place = impl_->append(result.row, bytes);
  }
  entry.result = without_numbers(result);
  impl_->journal->add(entry);
  impl_->has_results = true;
  // Last, so that a row that could not be written counts as never computed.
  if (!result.failed) impl_->index.set(result.row, entry.place.position);
  impl_->outcomes.keep(entry.result);
  impl_->tell_early();
}

void ResultWriter::add_loss(const std::vector<std::int64_t>& rows) {
  impl_->journal->add_loss(rows);
  impl_->has_results = true;
}

void ResultWriter::set_model(const std::string& sha256) { impl_->journal->add_model(sha256); }

std::vector<Unflushed> ResultWriter::Impl::unflushed() {
  std::vector<Unflushed> files = segments->unflushed();
  files.push_back(journal->unflushed());
  // So that little is left to be flushed when the file is whole.
  if (early != nullptr) files.push_back(partial.unflushed());
  return files;
}

void ResultWriter::sync() {
  impl_->flusher.wait();
  flush(impl_->unflushed());
  impl_->last_sync = std::chrono::steady_clock::now();
}

void ResultWriter::sync_if_due() {
  const bool due = std::chrono::steady_clock::now() - impl_->last_sync >= std::chrono::seconds(1);
  if (!due || !impl_->flusher.is_idle()) return;
  impl_->flusher.begin(impl_->unflushed());
  impl_->last_sync = std::chrono::steady_clock::now();
}

std::unique_ptr<Assembly> ResultWriter::Impl::make_assembly() {
  return std::make_unique<Assembly>(partial.path(), *segments, index, parts, dataset.sequences);
}

void ResultWriter::Impl::assemble_early(std::vector<bool> rows_to_come) {
  to_come = std::move(rows_to_come);
  early = std::make_unique<EarlyAssembly>([this] { return make_assembly(); }, [this] { partial.empty(); });
  tell_early();
}

void ResultWriter::Impl::tell_early() {
  if (early == nullptr) return;
  const auto is_settled = [&](std::int64_t row) {
    return outcomes.is_known(row) || !to_come[static_cast<std::size_t>(row)];
  };
  while (settled < dataset.sequences.size() && is_settled(settled)) ++settled;
  early->reach(settled);
}

void ResultWriter::Impl::give_up_early() {
  if (const std::unique_ptr<Assembly> assembly = early->end()) assembly->abandon();
  early.reset();
  partial.empty();
}

RecordPlace ResultWriter::Impl::append(std::int64_t row, const std::vector<std::span<const std::byte>>& bytes) {
  try {
    return segments->append(row, bytes);
  } catch (const Error& error) {
    if (early == nullptr || error.code() != ErrorCode::retry) throw;
  }
  // What is put together ahead of time takes room that results need.
  give_up_early();
  return segments->append(row, bytes);
}

void ResultWriter::Impl::write_partial(const FileAttributes& attributes) {
  std::unique_ptr<Assembly> assembly = early != nullptr ? early->end() : nullptr;
  early.reset();
  try {
    if (assembly == nullptr) assembly = make_assembly();
    assembly->finish([&] {
      throw_if_stopped(stop);
      return true;
    });
    write_tables(assembly->file(), assembly->guard(), attributes);
    assembly->close();
    fsync_path(partial.path());
  } catch (const Error&) {
    if (assembly != nullptr) assembly->abandon();
    partial.remove();
    if (assembly != nullptr) assembly->guard().throw_if_failed();  // the reason behind HDF5's complaint
    throw;
  }
}

WriteSummary ResultWriter::finish(const FileAttributes& attributes, const std::function<void()>& before_rename) {
  hdf5::silence();
  sync();
  impl_->write_partial(attributes);
  WriteSummary summary;
  summary.file_bytes = static_cast<std::int64_t>(fs::file_size(impl_->partial.path()));
  if (!impl_->overwrite && fs::exists(impl_->output)) {
    throw Error(ErrorCode::cannot_create, "'" + impl_->output.string() + "' was made by something else during the run",
                "the results are in '" + impl_->partial.keep().string() + "'; rename it");
  }
  if (before_rename) before_rename();
  impl_->partial.rename_to(impl_->output);
  impl_->has_results = false;
  impl_->work.clear();
  impl_->work.leave();
  return summary;
}

}  // namespace pleat
