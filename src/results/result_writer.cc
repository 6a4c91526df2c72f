#include "results/result_writer.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "core/error.h"
#include "format/record_parts.h"
#include "format/schema_table.h"
#include "hdf5/hdf5_types.h"
#include "journal/disk_room.h"
#include "journal/flush.h"
#include "journal/journal.h"
#include "journal/resume.h"
#include "journal/segment_store.h"
#include "journal/work_folder.h"
#include "results/file_assembler.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;

void check_layout(const ResultLayout& layout) {
  const bool has_layers = !layout.layers.empty();
  if (has_layers && layout.width <= 0) throw Error(ErrorCode::internal, "embeddings need a width");
  if (layout.logits && layout.alphabet.empty()) throw Error(ErrorCode::internal, "logits need an alphabet");
  if (layout.pae && !layout.structure) throw Error(ErrorCode::internal, "pae needs structures");
  if (layout.interfaces && !layout.structure) throw Error(ErrorCode::internal, "interfaces need structures");
  static_cast<void>(parts_of(layout));  // knows which types can be stored
}

// What libraries say in their errors need not be UTF-8; the journal and the file hold nothing else.
std::string valid_utf8(const std::string& text) {
  const std::string json = nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return nlohmann::json::parse(json);
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

// The journal of the run that is resumed; where there is none, the folder is emptied.
std::optional<JournalState> resumable_or_clear(WorkFolder& work, const WriterOptions& options) {
  std::optional<JournalState> journal = find_resumable(work.path(), options);
  if (!journal) work.clear();
  return journal;
}

}  // namespace

struct ResultWriter::Impl {
  Impl(fs::path output_path, ResultLayout result_layout, const Dataset& data, const WriterOptions& options)
      : output((check_output(output_path, options.overwrite), check_layout(result_layout), std::move(output_path))),
        layout(std::move(result_layout)),
        dataset(data),
        overwrite(options.overwrite),
        parts(parts_of(layout)),
        work(work_folder_of(output, options.work_folder), options.work_folder.empty(), options.owner_pace,
             options.stop),
        room(work.path(), output),
        index(data.sequences.size(), RowKeys(options.row_keys)),
        outcomes(data.sequences.size()),
        earlier_journal(resumable_or_clear(work, options)),
        segments(work.path()),
        assembler(output, {segments, index, parts, dataset, layout, outcomes}, options.stop) {
    try {
      open_work(options);
      segments_to_come = bytes_to_come();
      file_to_come = largest_file(parts, dataset);
      room.check({segments_to_come, file_to_come});
    } catch (...) {
      leave_work();
      throw;
    }
  }
  ~Impl() {
    assembler.end_early();  // it reads what is in the work folder
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
  [[nodiscard]] std::vector<std::int64_t> keys_of(const std::vector<std::int64_t>& rows) const;
  void read_structure(std::int64_t row, SequenceResult& result);
  std::int64_t bytes_to_come() const;
  [[nodiscard]] std::int64_t bytes_of_row(std::int64_t row) const;
  void check_room() const;
  RecordPlace append(std::int64_t row, const std::vector<std::span<const std::byte>>& bytes);
  void check_sizes(const SequenceResult& result, const std::vector<std::span<const std::byte>>& bytes) const;

  fs::path output;
  ResultLayout layout;
  const Dataset& dataset;
  bool overwrite;
  std::vector<Part> parts;
  WorkFolder work;
  DiskRoom room;
  std::int64_t segments_to_come = 0;  // bytes
  std::int64_t file_to_come = 0;      // without what is there already
  std::unique_ptr<Journal> journal;
  RecordIndex index;
  SequenceOutcomes outcomes;
  std::optional<JournalState> earlier_journal;  // until its results are taken up
  SegmentStore segments;
  FileAssembler assembler;
  EarlierResults earlier;
  std::vector<std::int64_t> earlier_rows;
  bool is_void = false;      // what the earlier runs have computed
  std::string model_sha256;  // by the journal, as is:
  std::vector<std::int64_t> under_way;
  bool has_results = true;  // in the work folder, and not in the file; also as long as nobody has looked
  Flusher flusher;
  std::chrono::steady_clock::time_point last_sync = std::chrono::steady_clock::now();
};

void ResultWriter::Impl::open_work(const WriterOptions& options) {
  const fs::path file = work.path() / Journal::file_name;
  if (const std::optional<JournalState> state = std::exchange(earlier_journal, {})) {
    Resumed resumed =
        resume(work.path(), *state, options, {parts, dataset.sequences, index.keys(), segments, index, outcomes});
    earlier = std::move(resumed.earlier);
    earlier_rows = std::move(resumed.rows);
    model_sha256 = state->model_sha256;
    journal = std::make_unique<Journal>(file, *state);
  } else {
    has_results = false;
    journal = std::make_unique<Journal>(file, options.identity);
  }
  journal->begin_run(options.longest_tokens);
}

std::vector<std::int64_t> ResultWriter::Impl::keys_of(const std::vector<std::int64_t>& rows) const {
  std::vector<std::int64_t> keys;
  keys.reserve(rows.size());
  for (const std::int64_t row : rows) keys.push_back(index.keys().key(row));
  return keys;
}

void ResultWriter::Impl::read_structure(std::int64_t row, SequenceResult& result) {
  const std::vector<std::uint64_t> sizes = sizes_of(parts, size_of(dataset.sequences, row));
  std::uint64_t position = index[row];
  for (std::size_t part = 0; part < parts.size(); ++part) {
    position += sizeof(PartHead);
    const schema::Present present = parts[part].entry->present;
    if (present == schema::Present::with_structure || present == schema::Present::with_interfaces) {
      segments.read(position, room_for(parts[part], result, sizes[part]));
    }
    position += sizes[part];
  }
}

std::int64_t ResultWriter::Impl::bytes_to_come() const {
  std::int64_t bytes = 0;
  for (std::int64_t row = 0; row < dataset.sequences.size(); ++row) {
    if (outcomes.is_known(row)) continue;
    bytes += bytes_of_row(row);
  }
  return bytes;
}

std::int64_t ResultWriter::Impl::bytes_of_row(std::int64_t row) const {
  std::int64_t bytes = 0;
  for (const std::uint64_t size : sizes_of(parts, size_of(dataset.sequences, row))) {
    bytes += static_cast<std::int64_t>(size + sizeof(PartHead));
  }
  return bytes;
}

// What has been assembled already lies on the disk.
void ResultWriter::Impl::check_room() const { room.check({segments_to_come, file_to_come - assembler.bytes()}); }

void ResultWriter::Impl::check_sizes(const SequenceResult& result,
                                     const std::vector<std::span<const std::byte>>& bytes) const {
  const SequenceSize size = size_of(dataset.sequences, result.row);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto expected = static_cast<std::size_t>(rows_of(parts[i].extent, size) * parts[i].row_bytes());
    if (bytes[i].size() == expected) continue;
    throw Error(ErrorCode::internal, "the result of sequence row " + std::to_string(result.row) + " has " +
                                         std::to_string(bytes[i].size()) + " bytes for " + parts[i].path +
                                         " instead of " + std::to_string(expected));
  }
}

ResultWriter::ResultWriter(fs::path output, ResultLayout layout, const Dataset& dataset, const WriterOptions& options)
    : impl_(std::make_unique<Impl>(std::move(output), std::move(layout), dataset, options)) {}

ResultWriter::~ResultWriter() = default;

const EarlierResults& ResultWriter::earlier() const { return impl_->earlier; }

bool ResultWriter::is_locked() const { return impl_->work.is_locked(); }

bool ResultWriter::is_done(std::int64_t row) const {
  const bool is_void = impl_->is_void && std::ranges::count(impl_->earlier_rows, row) > 0;
  return impl_->outcomes.is_known(row) && !is_void;
}

double ResultWriter::seconds_of(std::int64_t row) const { return impl_->outcomes.seconds(row); }

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
    if (structures && !result.failed) impl_->read_structure(row, result);
    see(result);
  }
}

void ResultWriter::assemble_early(std::vector<bool> to_come) { impl_->assembler.begin_early(std::move(to_come)); }

void ResultWriter::add(const SequenceResult& result) {
  impl_->work.throw_if_replaced();
  impl_->outcomes.check_new(result.row);
  if (!impl_->assembler.may_come(result.row)) {
    throw Error(ErrorCode::internal, "sequence row " + std::to_string(result.row) + " was not to come");
  }
  JournalEntry entry;
  if (!result.failed) {
    const std::vector<std::span<const std::byte>> bytes = bytes_of(result, impl_->layout, impl_->parts);
    impl_->check_sizes(result, bytes);
    entry.place = impl_->append(impl_->index.keys().key(result.row), bytes);
  }
  entry.result = without_numbers(result);
  entry.result.row = impl_->index.keys().key(result.row);
  impl_->journal->add(entry);
  impl_->has_results = true;
  impl_->segments_to_come -= impl_->bytes_of_row(result.row);
  // Last, so that a row that could not be written counts as never computed.
  if (!result.failed) impl_->index.set(result.row, entry.place.position);
  entry.result.row = result.row;
  impl_->outcomes.keep(entry.result);
  impl_->assembler.advance();
}

void ResultWriter::add_loss(const std::vector<std::int64_t>& rows) {
  impl_->journal->add_loss(impl_->keys_of(rows));
  impl_->has_results = true;
}

void ResultWriter::set_under_way(const std::vector<std::int64_t>& rows) {
  if (rows == impl_->under_way) return;
  impl_->journal->set_under_way(impl_->keys_of(rows));
  impl_->under_way = rows;
  impl_->has_results |= !rows.empty();
}

void ResultWriter::set_model(const std::string& sha256) {
  if (sha256 == impl_->model_sha256) return;
  impl_->journal->add_model(sha256);
  const std::string before = std::exchange(impl_->model_sha256, sha256);
  if (before.empty() || impl_->earlier_rows.empty()) return;
  impl_->is_void = true;
  throw Error(ErrorCode::retry,
              "the weights are not those that earlier runs have computed with: model_sha256 was '" + before +
                  "' and is '" + sha256 + "'; what they have computed is given up",
              "run the same command again: it computes that anew");
}

std::vector<Unflushed> ResultWriter::Impl::unflushed() {
  std::vector<Unflushed> files = segments.unflushed();
  files.push_back(journal->unflushed());
  // So that little is left to be flushed when the file is whole.
  assembler.add_unflushed(files);
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
  impl_->work.throw_if_replaced();
  impl_->check_room();
  impl_->flusher.begin(impl_->unflushed());
  impl_->last_sync = std::chrono::steady_clock::now();
}

RecordPlace ResultWriter::Impl::append(std::int64_t row, const std::vector<std::span<const std::byte>>& bytes) {
  try {
    return segments.append(row, bytes);
  } catch (const Error& error) {
    if (!assembler.is_early() || error.code() != ErrorCode::retry) throw;
  }
  // What is assembled ahead of time takes room that results need.
  assembler.give_up_early();
  return segments.append(row, bytes);
}

WriteSummary ResultWriter::finish(const FileAttributes& attributes, const std::function<void()>& before_rename) {
  hdf5::silence();
  if (impl_->is_void) throw Error(ErrorCode::internal, "results of other weights are not put into a file");
  sync();
  impl_->assembler.write(attributes);
  PartialFile& partial = impl_->assembler.partial();
  WriteSummary summary;
  summary.file_bytes = static_cast<std::int64_t>(fs::file_size(partial.path()));
  if (!impl_->overwrite && fs::exists(impl_->output)) {
    throw Error(ErrorCode::cannot_create, "'" + impl_->output.string() + "' was made by something else during the run",
                "the results are in '" + partial.keep().string() + "'; rename it");
  }
  if (before_rename) before_rename();
  partial.rename_to(impl_->output);
  impl_->has_results = false;
  impl_->work.clear();
  impl_->work.leave();
  return summary;
}

}  // namespace pleat
