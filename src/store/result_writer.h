// From results in any order to one HDF5 file in the order of the sequences.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/dtype.h"
#include "core/stop.h"
#include "sequence/dataset.h"
#include "store/owner.h"
#include "store/run_identity.h"

namespace pleat {

// What the file will hold; fixed before the first result.
struct ResultLayout {
  std::vector<std::int64_t> layers;  // absolute, sorted, unique; empty = no embeddings
  bool per_residue = false;
  bool mean = false;
  bool bos = false;
  bool logits = false;
  bool contacts = false;
  bool structure = false;
  bool pae = false;              // of the structures
  std::int64_t width = 0;        // D
  std::int64_t depth = 0;        // the model's number of layers; sets the width of NN in layer_NN
  DType dtype = DType::float16;  // float16 or float32, of embeddings, logits and contacts
  // float16 or float32, of the structures' plddt and pae.
  DType structure_dtype = DType::float16;
  std::vector<std::string> alphabet;  // columns of /logits, in order
};

// What the results of a sequence of `length` residues take before they are compressed.
[[nodiscard]] std::int64_t uncompressed_bytes(const ResultLayout& layout, std::int64_t length);

struct LayerResult {
  std::vector<std::byte> per_residue;  // [L, D]
  std::vector<std::byte> mean;         // [D]
  std::vector<std::byte> bos;          // [D]
};

// The atom14 layout of pleat/sequence/residues.h.
struct StructureResult {
  std::vector<float> positions;         // [L, 14, 3] ångström; 0 where there is no atom
  std::vector<std::uint8_t> atom_mask;  // [L, 14] 1 where there is an atom
  std::vector<std::byte> plddt;         // [L, 14] structure_dtype, 0 to 100; 0 where there is no atom
  float mean_plddt = 0;                 // over the atoms that exist
  float ptm = 0;
  std::int32_t recycles = 0;   // passes through the trunk, less one
  std::vector<std::byte> pae;  // [L, L] structure_dtype, ångström; empty unless the layout has pae
};

// What it took to compute a sequence when memory ran out; stored as it is in /records/memory_rung.
enum class MemoryRung : std::uint8_t { planned = 0, smaller_batch = 1, smaller_chunk = 2, lower_precision = 3 };

// Everything computed for one unique sequence; parts not asked for are empty. Elements have the layout's dtype.
struct SequenceResult {
  std::int64_t row = 0;
  std::vector<LayerResult> layers;  // parallel to ResultLayout::layers
  std::vector<std::byte> logits;    // [L, alphabet]
  std::vector<std::byte> contacts;  // [L, L]
  StructureResult structure;
  double seconds = 0;  // its share of its batch's time, by tokens
  std::int32_t attempts = 1;
  MemoryRung rung = MemoryRung::planned;
  std::string device;  // "cpu:0"
  // Set when this sequence failed: its rows hold NaN and its records say why. A code and a message without `failed`
  // are a note: the records stay ok and carry it, after notes that they have already.
  bool failed = false;
  std::string error_code;
  std::string message;
};

// The attributes of "/" beside format, schema_version and complete.
struct FileAttributes {
  std::string pleat_version;
  std::string created_utc;         // ISO 8601, "2025-01-31T12:00:00Z"
  std::string manifest_yaml;       // as it was read
  std::string manifest_overrides;  // applied after it: "key=value", one a line
  std::string manifest_sha256;
  std::string inputs_sha256;  // Dataset::sha256
  std::string model_name;
  std::string model_sha256;
  std::string precision;
  std::string devices;
  std::string source_revision;
  bool untrained = false;  // the weights are not trained; written as attribute "untrained_weights" with a sentence
};

struct WriterOptions {
  bool overwrite = false;
  // For segments, as large as all results uncompressed. Empty = FILE.work beside the output, removed at the end. A
  // folder given here is made where needed; files of others in it stay.
  std::filesystem::path work_folder = {};
  // An earlier run whose results are in the work folder is gone on with when it has the same identity.
  RunIdentity identity = {};
  // By which the work folder knows each row, rising; the same in every run. Empty: the rows themselves.
  std::vector<std::int64_t> row_keys = {};
  // What this run has memory for; kept with its failures.
  std::int64_t longest_tokens = 0;
  // Whether a failure of an earlier run, which had memory for so many tokens, is not to stand. Empty: all stand.
  std::function<bool(const SequenceResult& failure, std::int64_t longest_tokens)> tries_again = {};
  bool restart = false;  // forget what an earlier run has left
  OwnerPace owner_pace = {};
  const StopFlag* stop = nullptr;  // ends waiting for a dead owner of the work folder, the checking of earlier results,
                                   // and finish(), with Stopped
};

// What was found in the work folder.
struct EarlierResults {
  std::int64_t sequences = 0;                        // whose results are whole
  std::int64_t damaged = 0;                          // whose results are not; they are computed again
  std::map<std::int64_t, std::int32_t> lost;         // row -> how many devices were lost while they computed it
  std::map<std::int64_t, std::int32_t> interrupted;  // row -> how many runs ended while they computed it
  bool last_did_nothing = false;  // the last run ended without a single result, and something was under way
};

struct WriteSummary {
  std::int64_t file_bytes = 0;
};

// What was added is on disk: after a crash, a signal or a full disk a writer of the same run takes it up again.
class ResultWriter {
 public:
  // Checks that the output can be made (folder there and writable, no file in the way unless `overwrite`, the work
  // folder not in use), takes up what an earlier run has left, checking every byte of it, and makes sure that there is
  // room for the rest and for the file. `dataset` must outlive the writer. The program must ignore SIGXFSZ. Throws
  // Error(cannot_create), also when the earlier run was another one, saying what differs; or Error(retry) when the disk
  // has no room for the results, uncompressed, and for the file.
  ResultWriter(std::filesystem::path output, ResultLayout layout, const Dataset& dataset, const WriterOptions& options);
  // Keeps the work folder when there are results in it that no file holds yet, else removes it.
  ~ResultWriter();
  ResultWriter(const ResultWriter&) = delete;
  ResultWriter& operator=(const ResultWriter&) = delete;

  [[nodiscard]] const EarlierResults& earlier() const;
  // Whether the work folder could be locked; where not, another run in it is still found out, by its owner file.
  [[nodiscard]] bool is_locked() const;
  // Whether the row has been added, in this run or in an earlier one.
  [[nodiscard]] bool is_done(std::int64_t row) const;
  // The seconds that a row has taken; 0 for one that is not done or was not computed.
  [[nodiscard]] double seconds_of(std::int64_t row) const;
  // Calls `see` with each result of the earlier run: whether it failed, its note, its structure where `structures`
  // says so, and no other numbers.
  void replay(bool structures, const std::function<void(const SequenceResult&)>& see);

  // From now on puts the file together beside what the caller does, on threads of its own, as far as results are there
  // without a gap. `to_come` [sequences]: whether the row will be added; no other may be. What is put together does not
  // count as written: after a crash it is made again from the segments.
  void assemble_early(std::vector<bool> to_come);

  // Appends one result to the segment on disk, then a line to the journal. One thread at a time, as for all below.
  // Throws Error(io), Error(retry) when the disk or the quota is full, or Error(cannot_create) when another run has
  // taken the work folder over: the row then counts as never added. Throws
  // Error(internal) when the result does not fit the layout or its row was added before.
  void add(const SequenceResult& result);
  // Keeps in mind that a device was lost while it computed these rows. Throws like add().
  void add_loss(const std::vector<std::int64_t>& rows);
  // Keeps in mind what is being computed: if the run ends now, a later one knows. Throws like add().
  void set_under_way(const std::vector<std::int64_t>& rows);
  // The hash of the weights, as soon as it is known. The identity tells most weights apart before; where this hash is
  // not that of the earlier runs all the same, what they have computed is given up, and Error(retry) says so: a later
  // run computes it. Throws like add().
  void set_model(const std::string& sha256);
  // Flushes what was added, so that even a power cut does not lose it. Throws Error(io).
  void sync();
  // Begins to flush what was added, and does not wait for it, unless that was begun less than a second ago or is still
  // under way. Throws what the last one met: Error(io), or Error(retry) when the disk or the quota is full after all.
  // Throws Error(retry) too once the disks have no room any more for what is to come, the file included, and
  // Error(cannot_create) when another run has taken the work folder over.
  void sync_if_due();

  // Puts the results into the order of the sequences, compresses in parallel, writes FILE.partial, flushes it and
  // renames it to its name. Sequences never added hold NaN, and their records become `failed` unless a status was
  // given. Throws like add(), and leaves an older file under that name as it was; may then be called again.
  // `before_rename` is called when FILE.partial is whole, flushed, and free to get its name: what is published there,
  // such as StructureFolder::commit(), stands before the result file does. What it throws ends finish().
  WriteSummary finish(const FileAttributes& attributes, const std::function<void()>& before_rename = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pleat
