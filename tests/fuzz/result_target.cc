// Result files that are sound HDF5 and no sound results. HDF5's own parser is that of a library; what it makes of a
// file is what pleat must not trust.
#include <hdf5.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/scratch_folder.h"
#include "format/schema.h"
#include "hdf5/hdf5_read.h"
#include "refuse_or_read.h"
#include "results/check_results.h"
#include "results/merge.h"
#include "results/result_reader.h"
#include "results/result_writer.h"
#include "targets.h"

namespace pleat::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr const char* root_attributes[] = {
    schema::attr_format,        schema::attr_schema_version,  schema::attr_complete,
    schema::attr_manifest_yaml, schema::attr_shard_index,     schema::attr_shard_count,
    schema::attr_total_records, schema::attr_total_sequences, schema::attr_missing_shards};
constexpr std::array<std::int64_t, 16> numbers{-1,
                                               0,
                                               1,
                                               2,
                                               3,
                                               4,
                                               5,
                                               8,
                                               14,
                                               16,
                                               300,
                                               65536,
                                               std::int64_t{1} << 31,
                                               std::int64_t{1} << 40,
                                               std::int64_t{1} << 62,
                                               std::numeric_limits<std::int64_t>::max()};

SequenceResult no_result(std::int64_t row) {
  SequenceResult result;
  result.row = row;
  result.failed = true;
  result.error_code = "compute_failed";
  result.message = "a failure";
  return result;
}

enum class Holding : std::uint8_t { embeddings, structures, scores };

// Three records of two sequences, one of which has failed.
std::string sound_file(const fs::path& file, Holding holding, bool shard) {
  Dataset dataset;
  for (const std::size_t length : {2, 5}) {
    dataset.sequences.append(std::string(length, 'A'), std::vector<std::uint16_t>(length, 0));
  }
  for (const std::int64_t row : {0, 1, 0}) {
    Record record;
    record.id = "p" + std::to_string(dataset.records.size());
    record.sequence = row;
    dataset.records.push_back(record);
  }
  dataset.inputs.push_back({"/a.fasta", 12, "ab", 3, "fasta", "", ""});
  if (shard) dataset.shard = ShardPart{1, 2, 6, 4, {0, 2, 3}, {1, 3}};
  ResultLayout layout;
  layout.layers = {0};
  layout.width = 3;
  layout.mean = layout.per_residue = layout.bos = layout.logits = layout.contacts = holding == Holding::embeddings;
  layout.structure = layout.pae = holding == Holding::structures;
  layout.scores = layout.substitutions = layout.variants = holding == Holding::scores;
  if (layout.variants) {
    dataset.variants = VariantTable{{{"p0", "A1C"}, {"p9", "A1C", "unknown_id", "no record"}, {"p1", "A5C"}}};
    dataset.sequences.set_variants({{{0, "A1C"}}, {{2, "A5C"}}});
  }
  layout.alphabet = {"A", "<mask>"};
  ResultWriter writer(file, layout, dataset, {});
  for (const std::int64_t row : {0, 1}) writer.add(no_result(row));
  FileAttributes attributes;
  attributes.manifest_yaml = "version: 1\n";
  static_cast<void>(writer.finish(attributes));
  std::string content = read_text_file(file);
  fs::remove(file);
  return content;
}

// What is done to the file, as the input's bytes say.
class Edits {
 public:
  Edits(Bytes script, hid_t file) : script_(script), file_(file), paths_(paths_in(file)) {}

  void run() {
    while (!script_.empty()) {
      switch (byte() % 5) {
        case 0: static_cast<void>(H5Ldelete(file_, path().c_str(), H5P_DEFAULT)); break;
        case 1: replace_dataset(); break;
        case 2: change_number(); break;
        case 3: change_attribute(); break;
        default: link(); break;
      }
    }
  }

 private:
  // Zeros at the end.
  std::uint8_t byte() {
    if (script_.empty()) return 0;
    const auto first = static_cast<std::uint8_t>(script_.front());
    script_ = script_.subspan(1);
    return first;
  }
  std::int64_t number() { return numbers[byte() % numbers.size()]; }
  const std::string& path() { return paths_[byte() % paths_.size()]; }

  static std::vector<std::string> paths_in(hid_t file) {
    std::vector<std::string> paths;
    const auto add = [](hid_t, const char* name, const H5L_info_t*, void* all) -> herr_t {
      static_cast<std::vector<std::string>*>(all)->push_back("/" + std::string(name));
      return 0;
    };
    H5Lvisit(file, H5_INDEX_NAME, H5_ITER_INC, add, &paths);
    return paths;
  }

  hdf5::Type type() {
    constexpr std::size_t text = 7;
    const std::array<hid_t, text> numeric{H5T_STD_I64LE,  H5T_STD_U8LE,   H5T_STD_U16LE, H5T_STD_I32LE,
                                          H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_STD_I64BE};
    const std::size_t which = byte() % (text + 2);
    if (which < text) return hdf5::Type(H5Tcopy(numeric[which]));
    hdf5::Type string(H5Tcopy(H5T_C_S1));
    H5Tset_size(string.get(), which == text ? H5T_VARIABLE : 4);
    return string;
  }

  hdf5::Space space() {
    std::array<hsize_t, 3> size{};
    const int rank = byte() % 4;
    for (int i = 0; i < rank; ++i)
      size[static_cast<std::size_t>(i)] = static_cast<hsize_t>(std::max<std::int64_t>(number(), 0));
    return hdf5::Space(rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, size.data(), nullptr));
  }

  // Nothing is written into it: HDF5 gives zeros for that.
  void replace_dataset() {
    const std::string where = path();
    const hdf5::Type of = type();
    const hdf5::Space in = space();
    const hdf5::Properties chunks(H5Pcreate(H5P_DATASET_CREATE));
    const int rank = H5Sget_simple_extent_ndims(in.get());
    const std::array<hsize_t, 3> chunk{2, 2, 2};
    if (byte() % 2 == 0 && rank > 0) H5Pset_chunk(chunks.get(), rank, chunk.data());
    H5Ldelete(file_, where.c_str(), H5P_DEFAULT);
    const hdf5::DataSet made(
        H5Dcreate2(file_, where.c_str(), of.get(), in.get(), H5P_DEFAULT, chunks.get(), H5P_DEFAULT));
  }

  static hsize_t longest_side(const hdf5::Space& space) {
    std::array<hsize_t, 3> size{};
    if (H5Sget_simple_extent_ndims(space.get()) <= std::ssize(size)) {
      H5Sget_simple_extent_dims(space.get(), size.data(), nullptr);
    }
    return std::ranges::max(size);
  }

  void change_number() {
    const hdf5::DataSet set(H5Dopen2(file_, path().c_str(), H5P_DEFAULT));
    const std::size_t at = byte();
    const std::int64_t value = number();
    if (set.get() < 0) return;
    const hdf5::Space in(H5Dget_space(set.get()));
    const hssize_t count = H5Sget_simple_extent_npoints(in.get());
    if (count <= 0 || count > 4096 || longest_side(in) > 4096) return;  // the count alone may have overflown
    std::vector<std::int64_t> all(static_cast<std::size_t>(count));
    if (H5Dread(set.get(), H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, all.data()) < 0) return;
    all[at % all.size()] = value;
    static_cast<void>(H5Dwrite(set.get(), H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, all.data()));
  }

  void change_attribute() {
    const char* const name = root_attributes[byte() % std::size(root_attributes)];
    const bool remove = byte() % 4 == 0;
    const hdf5::Type of = type();
    const hdf5::Space in = space();
    const std::int64_t value = number();
    H5Adelete(file_, name);
    if (remove || H5Sget_simple_extent_npoints(in.get()) > 4096) return;
    const hdf5::Attribute made(H5Acreate2(file_, name, of.get(), in.get(), H5P_DEFAULT, H5P_DEFAULT));
    if (H5Tget_class(of.get()) != H5T_INTEGER || made.get() < 0) return;
    const std::vector<std::int64_t> all(static_cast<std::size_t>(H5Sget_simple_extent_npoints(in.get())), value);
    H5Awrite(made.get(), H5T_NATIVE_INT64, all.data());
  }

  // One name for another thing: a dataset, a group, itself, nothing.
  void link() {
    const std::string from = path();
    const std::string to = path();
    const bool hard = byte() % 2 == 0;
    H5Ldelete(file_, from.c_str(), H5P_DEFAULT);
    if (hard) {
      static_cast<void>(H5Lcreate_hard(file_, to.c_str(), file_, from.c_str(), H5P_DEFAULT, H5P_DEFAULT));
    } else {
      static_cast<void>(H5Lcreate_soft(to.c_str(), file_, from.c_str(), H5P_DEFAULT, H5P_DEFAULT));
    }
  }

  Bytes script_;
  hid_t file_;
  std::vector<std::string> paths_;
};

void read_all(const fs::path& file) {
  const ResultReader reader(file);
  refuse_or_read([&] { static_cast<void>(reader.inputs()); });
  refuse_or_read([&] { static_cast<void>(reader.count_by_status()); });
  refuse_or_read([&] { static_cast<void>(reader.records(0, reader.record_count())); });
  refuse_or_read([&] { static_cast<void>(reader.costs(0, reader.record_count())); });
  if (reader.has_variants()) {
    refuse_or_read([&] { static_cast<void>(reader.variant_table()); });
    refuse_or_read([&] { static_cast<void>(reader.variant_rows()); });
  }
  for (const Extent extent : {Extent::pair, Extent::variant, Extent::chain, Extent::chain_pair}) {
    refuse_or_read([&] { static_cast<void>(reader.begins(extent)); });
  }
  refuse_or_read([&] {
    for (const DataSetInfo& info : reader.datasets()) {
      if (!info.shape.empty()) {
        refuse_or_read(
            [&] { static_cast<void>(reader.floats(info.path, 0, std::min<std::int64_t>(1, info.shape[0]))); });
      }
    }
  });
  for (std::int64_t row = 0; row < std::min<std::int64_t>(reader.sequence_count(), 4); ++row) {
    refuse_or_read([&] { static_cast<void>(reader.sequence(row)); });
    if (reader.has_structures()) refuse_or_read([&] { static_cast<void>(reader.structure(row)); });
    if (reader.has_pae()) refuse_or_read([&] { static_cast<void>(reader.pae(row)); });
    for (const char* const path : {schema::contact_values, schema::logits, schema::log_probability,
                                   schema::substitution_scores, schema::variant_score}) {
      refuse_or_read([&] { static_cast<void>(reader.values(path, row)); });
    }
  }
}

}  // namespace

void result_reader(Bytes input) {
  static const ScratchFolder folder;
  static const fs::path file = folder.path() / "results.h5";
  static const std::array sound{
      sound_file(file, Holding::embeddings, false), sound_file(file, Holding::structures, false),
      sound_file(file, Holding::embeddings, true),  sound_file(file, Holding::structures, true),
      sound_file(file, Holding::scores, false),     sound_file(file, Holding::scores, true)};
  if (input.empty()) return;
  write(file, sound[static_cast<std::size_t>(input.front()) % sound.size()]);
  hdf5::silence();
  {
    const hdf5::File open(H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
    if (open.get() < 0) throw std::logic_error("the file to be changed cannot be opened");
    Edits(input.subspan(1), open.get()).run();
  }
  refuse_or_read([&] { read_all(file); });
  refuse_or_read([&] { static_cast<void>(check_results(file)); });
  const fs::path merged = folder.path() / "merged.h5";
  refuse_or_read([&] { static_cast<void>(merge_results({file}, merged, {.allow_missing = true, .overwrite = true})); });
}

}  // namespace pleat::fuzz
