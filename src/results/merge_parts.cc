#include "results/merge_parts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "format/schema.h"
#include "format/schema_table.h"
#include "results/result_reader.h"

namespace pleat {
namespace {

[[noreturn]] void refuse(const std::string& what, std::string hint = {}) {
  throw Error(ErrorCode::bad_input, what, std::move(hint));
}

// Of all extents that its datasets have or have offsets of.
std::map<Extent, std::vector<std::int64_t>> begins_in(const ResultReader& reader, const std::string& name) {
  std::map<Extent, std::vector<std::int64_t>> begins;
  for (const DataSetInfo& info : reader.datasets()) {
    const schema::DatasetEntry* const entry = schema::find_dataset(info.path);
    if (entry == nullptr)
      refuse(name + " holds " + info.path + ", which this pleat does not know", "merge with a newer pleat");
    const auto* const offsets = std::get_if<schema::Offsets>(&entry->content);
    const Extent extent = offsets != nullptr ? offsets->of : entry->extent;
    if (is_of_sequences(extent) && extent != Extent::sequence) begins.try_emplace(extent, reader.begins(extent));
  }
  return begins;
}

MergePart open_part(const std::filesystem::path& file) {
  const ResultReader reader(file);
  const std::string name = "'" + file.string() + "'";
  if (!reader.complete()) refuse(name + " is not complete", "run that shard again");
  const std::optional<ShardPart>& shard = reader.shard();
  if (!shard) refuse(name + " is no shard", "give the files that pleat run --shard wrote");
  return {.path = file,
          // Read from front to back, of many parts at once.
          .file = hdf5::open_for_reading(file.string(), 2 * static_cast<std::size_t>(schema::chunk_bytes)),
          .attributes = reader.attributes(),
          .shard = *shard,
          .begins = begins_in(reader, name),
          .datasets = reader.datasets()};
}

// Before its elements are copied as they are.
void check_form(const DataSetInfo& dataset, const std::filesystem::path& file) {
  const std::string name = "'" + file.string() + "' has " + dataset.path;
  if (dataset.shape.empty() || std::find(dataset.shape.begin() + 1, dataset.shape.end(), 0) != dataset.shape.end()) {
    refuse(name + " without rows, or with empty ones");
  }
  if (!may_be_stored_as(schema::find_dataset(dataset.path)->element, dataset.type)) {
    refuse(name + " in another type than results have: " + dataset.type);
  }
}

// What must be the same in all parts, by name.
NamedValues common_values(const MergePart& part) {
  NamedValues values = values_of_run(part.attributes);
  values.emplace_back("number of shards", std::to_string(part.shard.count));
  values.emplace_back("number of all records", std::to_string(part.shard.records));
  values.emplace_back("number of all sequences", std::to_string(part.shard.sequences));
  for (const DataSetInfo& dataset : part.datasets) {
    check_form(dataset, part.path);
    std::vector<std::int64_t> row_shape = dataset.shape;
    row_shape.erase(row_shape.begin());
    values.emplace_back(dataset.path, dataset.type + " " + shape_text(row_shape));
  }
  return values;
}

void check_alike(const MergePart& first, const MergePart& other) {
  const auto expected = common_values(first);
  const auto found = common_values(other);
  for (std::size_t i = 0; i < std::max(expected.size(), found.size()); ++i) {
    if (i < expected.size() && i < found.size() && expected[i] == found[i]) continue;
    const std::string name = i < expected.size() ? expected[i].first : found[i].first;
    refuse(fmt::format("'{}' and '{}' do not belong together: they differ in {}", first.path.string(),
                       other.path.string(), name),
           "merge the shards of one run: the same inputs, manifest, options, model and pleat");
  }
}

std::vector<std::int64_t> missing_among(const std::vector<MergePart>& parts) {
  std::vector<std::int64_t> missing;
  std::size_t next = 0;
  for (std::int64_t index = 1; index <= parts.front().shard.count; ++index) {
    if (next < parts.size() && parts[next].shard.index == index) {
      ++next;
    } else {
      missing.push_back(index);
    }
  }
  return missing;
}

// The rows of all parts in the order of their places.
std::vector<MergedRow> in_order(const std::vector<MergePart>& parts, const std::vector<std::int64_t> ShardPart::*places,
                                const char* what) {
  std::vector<std::pair<std::int64_t, MergedRow>> found;
  for (std::size_t part = 0; part < parts.size(); ++part) {
    const std::vector<std::int64_t>& own = parts[part].shard.*places;
    for (std::size_t row = 0; row < own.size(); ++row) {
      found.push_back({own[row], {static_cast<std::int32_t>(part), static_cast<std::int64_t>(row)}});
    }
  }
  std::ranges::sort(found, {}, &std::pair<std::int64_t, MergedRow>::first);
  std::vector<MergedRow> rows;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (i > 0 && found[i].first == found[i - 1].first) {
      refuse(fmt::format("'{}' and '{}' both hold {} {}",
                         parts[static_cast<std::size_t>(rows.back().part)].path.string(),
                         parts[static_cast<std::size_t>(found[i].second.part)].path.string(), what, found[i].first));
    }
    rows.push_back(found[i].second);
  }
  return rows;
}

void check_indices(const std::vector<MergePart>& parts) {
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].shard.index != parts[i - 1].shard.index) continue;
    refuse(fmt::format("'{}' and '{}' are both shard {} of {}", parts[i - 1].path.string(), parts[i].path.string(),
                       parts[i].shard.index, parts[i].shard.count),
           "give each shard once");
  }
}

}  // namespace

NamedValues values_of_run(const FileAttributes& made) {
  return {
      {"pleat_version", made.pleat_version}, {"source_revision", made.source_revision},
      {"inputs_sha256", made.inputs_sha256}, {"model_name", made.model_name},
      {"model_sha256", made.model_sha256},   {"precision", made.precision},
      {"manifest_yaml", made.manifest_yaml}, {"manifest_overrides", made.manifest_overrides},
  };
}

MergeSources open_parts(const std::vector<std::filesystem::path>& files, bool allow_missing) {
  MergeSources sources;
  std::vector<MergePart>& parts = sources.parts;
  for (const std::filesystem::path& file : files) parts.push_back(open_part(file));
  if (parts.empty()) refuse("there is nothing to merge");
  for (const MergePart& part : parts) check_alike(parts.front(), part);
  std::ranges::sort(parts, {}, [](const MergePart& part) { return std::pair(part.shard.index, part.path); });
  check_indices(parts);
  sources.missing = missing_among(parts);
  if (!sources.missing.empty() && !allow_missing) {
    refuse(fmt::format("{} of {} shards missing: {}", sources.missing.size(), parts.front().shard.count,
                       fmt::join(sources.missing, ", ")),
           "run them and give their files too, or pass --allow-missing");
  }
  sources.records = in_order(parts, &ShardPart::record_places, "record");
  sources.sequences = in_order(parts, &ShardPart::sequence_places, "sequence");
  if (sources.missing.empty() && std::ssize(sources.records) != parts.front().shard.records) {
    refuse(fmt::format("the shards hold {} records, and should hold {}", sources.records.size(),
                       parts.front().shard.records));
  }
  for (MergePart& part : parts) part.new_rows.resize(part.shard.sequence_places.size());
  for (std::size_t row = 0; row < sources.sequences.size(); ++row) {
    const MergedRow& from = sources.sequences[row];
    parts[static_cast<std::size_t>(from.part)].new_rows[static_cast<std::size_t>(from.row)] =
        static_cast<std::int64_t>(row);
  }
  return sources;
}

}  // namespace pleat
