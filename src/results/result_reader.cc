#include "results/result_reader.h"

#include <algorithm>
#include <functional>

#include "results/result_reader_impl.h"
#include "results/row_reader.h"
#include "sequence/line_reader.h"

namespace pleat {
namespace {

constexpr auto longest = static_cast<std::int64_t>(max_text_bytes);
constexpr std::int64_t most_shards = 1'000'000;

std::int64_t check_format(const hdf5::File& id, const std::filesystem::path& file) {
  if (hdf5::text_attribute(id, schema::attr_format) != schema::format_name) {
    throw_bad(file, "is an HDF5 file, but not one that pleat wrote", "give a file that pleat run wrote");
  }
  const std::int64_t version = hdf5::integer_attribute(id, schema::attr_schema_version).value_or(0);
  if (version < 1) throw_bad(file, "does not say which version of the format it has");
  if (version > schema::version) {
    throw_bad(file,
              "has version " + std::to_string(version) + " of the format; this pleat reads up to version " +
                  std::to_string(schema::version),
              "read it with a newer pleat");
  }
  return version;
}

}  // namespace

const hdf5::OpenDataSet& ResultReader::Impl::open(const std::string& path) const {
  const auto found = open_datasets.find(path);
  if (found != open_datasets.end()) return found->second;
  hdf5::silence();
  return open_datasets.try_emplace(path, id, path).first->second;
}

const hdf5::OpenDataSet& ResultReader::Impl::open(const std::string& path,
                                                  const std::vector<std::int64_t>& shape) const {
  const hdf5::OpenDataSet& dataset = open(path);
  if (dataset.shape() == shape) return dataset;
  throw_bad(file, "has " + path + " in the shape " + shape_text(dataset.shape()) + " instead of " + shape_text(shape));
}

// Of each sequence.
std::vector<std::int64_t> ResultReader::Impl::count_chains() const {
  std::vector<std::int64_t> counts(offsets.size() - 1);
  read_by_sequence<std::uint16_t>(open(schema::sequence_chain, {offsets.back()}), H5T_NATIVE_UINT16, offsets,
                                  [&](std::int64_t row, std::int64_t, std::span<const std::uint16_t> chain) {
                                    counts[static_cast<std::size_t>(row)] = chain.back() + 1;
                                  });
  return counts;
}

// Which variants a sequence has, nothing else in the file tells.
std::vector<std::int64_t> ResultReader::Impl::read_variant_begins() const {
  const std::int64_t count = std::ssize(offsets);
  std::vector<std::int64_t> found = read<std::int64_t>(schema::variant_offsets, {count}, 0, count);
  if (found.front() != 0 || found.back() != open(schema::variant_score).rows() || !std::ranges::is_sorted(found)) {
    throw_bad(file, std::string("has ") + schema::variant_offsets + " that do not fit its variants");
  }
  return found;
}

const std::vector<std::int64_t>& ResultReader::Impl::begins_of_extent(Extent extent) const {
  if (extent == Extent::residue) return offsets;
  const auto known = begins.find(extent);
  if (known != begins.end()) return known->second;
  if (extent == Extent::variant) return begins.emplace(extent, read_variant_begins()).first->second;
  const std::vector<std::int64_t> chains = counts_chains(extent) ? count_chains() : std::vector<std::int64_t>();
  const auto size_of = [&](std::int64_t row) {
    const auto at = static_cast<std::size_t>(row);
    return SequenceSize(offsets[at + 1] - offsets[at], chains.empty() ? 1 : chains[at]);
  };
  return begins.emplace(extent, begins_of(extent, std::ssize(offsets) - 1, size_of)).first->second;
}

std::pair<std::int64_t, std::int64_t> ResultReader::Impl::range_of(std::int64_t row) const {
  if (row < 0 || row >= std::ssize(offsets) - 1) {
    throw Error(ErrorCode::bad_input, "there is no sequence row " + std::to_string(row));
  }
  const auto at = static_cast<std::size_t>(row);
  return {offsets[at], offsets[at + 1] - offsets[at]};
}

void ResultReader::Impl::read_attributes() {
  version = check_format(id, file);
  complete = hdf5::integer_attribute(id, schema::attr_complete).value_or(0) == 1;
  const auto text = [this](const char* name) { return hdf5::text_attribute(id, name).value_or(""); };
  for (const schema::AttributeEntry& entry : schema::attribute_table()) {
    const auto* const member = std::get_if<schema::RunText>(&entry.content);
    if (member != nullptr) attributes.*(*member) = text(entry.name);
  }
  untrained_note = text(schema::attr_untrained);
  attributes.untrained = !untrained_note.empty();
}

void ResultReader::Impl::read_offsets() {
  const hdf5::OpenDataSet& stored = open(schema::sequence_offsets);
  const std::int64_t residues = open(schema::sequence_residues).rows();
  if (stored.shape().size() != 1 || stored.rows() < 1) throw_bad(file, "has no usable /sequences/offsets");
  offsets.resize(static_cast<std::size_t>(stored.rows()));
  stored.read(0, stored.rows(), H5T_NATIVE_INT64, offsets);
  if (offsets.front() != 0 || offsets.back() != residues || !std::is_sorted(offsets.begin(), offsets.end())) {
    throw_bad(file, "has /sequences/offsets that do not fit its residues");
  }
  for (std::size_t row = 0; row + 1 < offsets.size(); ++row) {
    if (offsets[row + 1] - offsets[row] > longest) throw_bad(file, "has a sequence longer than any that is read");
  }
}

void ResultReader::Impl::read_shard() {
  missing_shards = hdf5::integers_attribute(id, schema::attr_missing_shards);
  if (!hdf5::integer_attribute(id, schema::attr_shard_count)) return;
  shard.emplace();
  for (const schema::AttributeEntry& entry : schema::attribute_table()) {
    const auto* const number = std::get_if<schema::ShardNumber>(&entry.content);
    if (number != nullptr) (*shard).*(*number) = hdf5::integer_attribute(id, entry.name).value_or(-1);
  }
  const auto places = [this](const char* path, std::int64_t rows, std::int64_t total) {
    const auto found = read<std::int64_t>(path, {rows}, 0, rows);
    const bool rise = std::ranges::adjacent_find(found, std::greater_equal<>()) == found.end();
    if (!rise || (rows > 0 && (found.front() < 0 || found.back() >= total))) {
      throw_bad(file, std::string("has places in ") + path + " that do not rise within all of them");
    }
    return found;
  };
  shard->record_places = places(schema::record_place, records, shard->records);
  shard->sequence_places = places(schema::sequence_place, std::ssize(offsets) - 1, shard->sequences);
  if (shard->index < 1 || shard->index > shard->count || shard->count > most_shards)
    throw_bad(file, "does not say which shard it is");
}

ResultReader::ResultReader(std::filesystem::path file) : impl_(std::make_unique<Impl>(std::move(file))) {
  impl_->read_attributes();
  impl_->read_offsets();
  impl_->records = impl_->open(schema::record_id).rows();
  impl_->read_shard();
}

ResultReader::~ResultReader() = default;
ResultReader::ResultReader(ResultReader&&) noexcept = default;
ResultReader& ResultReader::operator=(ResultReader&&) noexcept = default;

const std::filesystem::path& ResultReader::file() const { return impl_->file; }
const FileAttributes& ResultReader::attributes() const { return impl_->attributes; }
std::int64_t ResultReader::schema_version() const { return impl_->version; }
bool ResultReader::complete() const { return impl_->complete; }
const std::string& ResultReader::untrained_note() const { return impl_->untrained_note; }
const std::optional<ShardPart>& ResultReader::shard() const { return impl_->shard; }
const std::vector<std::int64_t>& ResultReader::missing_shards() const { return impl_->missing_shards; }
const std::vector<std::int64_t>& ResultReader::offsets() const { return impl_->offsets; }
const std::vector<std::int64_t>& ResultReader::begins(Extent extent) const { return impl_->begins_of_extent(extent); }
std::int64_t ResultReader::record_count() const { return impl_->records; }
std::int64_t ResultReader::sequence_count() const { return std::ssize(impl_->offsets) - 1; }
std::int64_t ResultReader::residue_count() const { return impl_->offsets.back(); }

}  // namespace pleat
