#include "export/vectors.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <unordered_set>

#include "core/ascii.h"
#include "core/error.h"
#include "core/half.h"
#include "core/sha256.h"
#include "export/fasta.h"
#include "export/record_selection.h"

namespace pleat {
namespace {

constexpr std::int64_t block_bytes = std::int64_t{1} << 20;

// "/embeddings/layer_06/mean" -> 6 where the path is one of this kind.
std::optional<std::int64_t> layer_of(const std::string& path, VectorKind kind) {
  constexpr std::string_view begin = "/embeddings/layer_";
  const std::string end = "/" + std::string(name_of(kind));
  if (!path.starts_with(begin) || !path.ends_with(end)) return {};
  const std::string digits = path.substr(begin.size(), path.size() - begin.size() - end.size());
  if (digits.empty() || digits.size() > 4 || !std::ranges::all_of(digits, is_digit)) {
    return {};
  }
  return std::stoll(digits);
}

std::string listed(const std::map<std::int64_t, DataSetInfo>& layers) {
  std::string text;
  for (const auto& [layer, info] : layers) text += (text.empty() ? "" : ", ") + std::to_string(layer);
  return text;
}

}  // namespace

std::string_view name_of(VectorKind kind) {
  switch (kind) {
    case VectorKind::mean: return "mean";
    case VectorKind::bos: return "bos";
    case VectorKind::per_residue: return "per_residue";
  }
  return "?";
}

VectorSource::VectorSource(const ResultReader& results, const VectorRequest& request)
    : results_(results), kind_(request.kind), key_(request.key), stop_(request.stop) {
  choose_layer(request);
  const std::set<std::string> wanted(request.ids.begin(), request.ids.end());
  check_ids(results, wanted, false);
  std::unordered_set<std::int64_t> seen;  // sequences, where they are the keys
  for_each_record(results, [&](std::int64_t /*number*/, const Record& record) {
    if (!wanted.empty() && !wanted.contains(record.id)) return;
    if (record.status != RecordStatus::ok || record.sequence < 0) {
      left_out_.push_back({record.id, record.message.empty() ? "never computed" : record.message});
    } else if (key_ == VectorKey::id || seen.insert(record.sequence).second) {
      add(record);
    }
  });
}

void VectorSource::choose_layer(const VectorRequest& request) {
  std::map<std::int64_t, DataSetInfo> layers;
  for (const DataSetInfo& info : results_.datasets()) {
    if (const auto layer = layer_of(info.path, kind_)) layers.emplace(*layer, info);
  }
  const std::string file = "'" + results_.file().string() + "'";
  if (layers.empty()) {
    throw Error(ErrorCode::usage, file + " has no embeddings of the kind " + std::string(name_of(kind_)),
                "'pleat inspect' shows what it has; --what chooses mean, bos or per_residue");
  }
  const std::int64_t layer = request.layer.value_or(layers.rbegin()->first);
  const auto chosen = layers.find(layer);
  if (chosen == layers.end()) {
    throw Error(ErrorCode::usage, file + " has no layer " + std::to_string(layer),
                "it has the layers " + listed(layers));
  }
  const DataSetInfo& info = chosen->second;
  const std::int64_t rows = kind_ == VectorKind::per_residue ? results_.residue_count() : results_.sequence_count();
  if (info.shape.size() != 2 || info.shape[0] != rows || (info.type != "float16" && info.type != "float32")) {
    throw Error(ErrorCode::bad_input, file + " has " + info.path + " in another shape or type than results have");
  }
  path_ = info.path;
  width_ = info.shape[1];
  dtype_ = info.type == "float16" ? DType::float16 : DType::float32;
}

void VectorSource::add(const Record& record) {
  VectorItem item;
  item.id = item.key = record.id;
  item.sequence = record.sequence;
  if (kind_ == VectorKind::per_residue) {
    const auto at = static_cast<std::size_t>(record.sequence);
    item.rows = results_.offsets()[at + 1] - results_.offsets()[at];
  }
  if (key_ == VectorKey::sha256) item.key = sha256_of(with_chain_breaks(results_.sequence(record.sequence)));
  rows_ += item.rows;
  items_.push_back(std::move(item));
}

void VectorSource::read(const VectorItem& item, const Block& block) const {
  const std::int64_t begin =
      kind_ == VectorKind::per_residue ? results_.offsets()[static_cast<std::size_t>(item.sequence)] : item.sequence;
  const std::int64_t row_bytes = std::max<std::int64_t>(1, width_ * static_cast<std::int64_t>(sizeof(float)));
  const std::int64_t most = std::max<std::int64_t>(1, block_bytes / row_bytes);
  for (std::int64_t first = 0; first < item.rows; first += most) {
    throw_if_stopped(stop_);
    const std::int64_t count = std::min(most, item.rows - first);
    block(first, results_.floats(path_, begin + first, count));
  }
}

std::vector<std::byte> stored_bytes(std::span<const float> values, DType dtype) {
  std::vector<std::byte> bytes(values.size() * size_of(dtype));
  if (dtype == DType::float32) {
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t half = half_from_float(values[i]);  // exact: it was read from float16
    std::memcpy(bytes.data() + i * sizeof(half), &half, sizeof(half));
  }
  return bytes;
}

}  // namespace pleat
