// Embeddings on their way out of a result file: which of them, under which names, a block of rows at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/dtype.h"
#include "core/stop.h"
#include "export/structure_files.h"
#include "results/result_reader.h"

namespace pleat {

enum class VectorKind : std::uint8_t { mean, bos, per_residue };
enum class VectorKey : std::uint8_t { id, sha256 };

// The names in options and in the file: "per_residue".
[[nodiscard]] std::string_view name_of(VectorKind kind);

struct VectorRequest {
  VectorKind kind = VectorKind::mean;
  std::optional<std::int64_t> layer = {};  // the deepest one of the file where nothing is said
  VectorKey key = VectorKey::id;
  std::vector<std::string> ids = {};  // empty: every record
  const StopToken* stop = nullptr;    // may be null
};

struct VectorItem {
  std::string key;            // the record's id, or the SHA-256 of its sequence, chains joined by ':'
  std::string id;             // of the record; of the first one where several share a key
  std::int64_t sequence = 0;  // row of /sequences
  std::int64_t rows = 1;      // 1, or the number of residues
};

// Only records that are ok have vectors. By SHA-256 equal sequences are one item.
class VectorSource {
 public:
  // Throws Error(usage) where the file has no such vectors, Error(bad_input) where an id is not there or the file is
  // damaged. `results` must outlive the source.
  VectorSource(const ResultReader& results, const VectorRequest& request);

  [[nodiscard]] const ResultReader& results() const { return results_; }
  [[nodiscard]] VectorKind kind() const { return kind_; }
  [[nodiscard]] VectorKey key() const { return key_; }
  [[nodiscard]] std::int64_t width() const { return width_; }  // D
  [[nodiscard]] DType dtype() const { return dtype_; }         // float16 or float32, as in the file
  [[nodiscard]] const std::vector<VectorItem>& items() const { return items_; }
  [[nodiscard]] std::int64_t rows() const { return rows_; }  // of all items
  // Records without vectors, and why.
  [[nodiscard]] const std::vector<LeftOut>& left_out() const { return left_out_; }

  // The item's rows [first, first + count), D numbers each.
  using Block = std::function<void(std::int64_t first, std::span<const float> values)>;
  // In blocks of about a megabyte. Throws Error(bad_input) and Stopped.
  void read(const VectorItem& item, const Block& block) const;

 private:
  void choose_layer(const VectorRequest& request);
  void add(const Record& record);

  const ResultReader& results_;
  VectorKind kind_;
  VectorKey key_;
  std::string path_;
  std::int64_t width_ = 0;
  DType dtype_ = DType::float32;
  const StopToken* stop_;
  std::vector<VectorItem> items_;
  std::int64_t rows_ = 0;
  std::vector<LeftOut> left_out_;
};

// The numbers as they lie in files: little-endian, in the source's type or in float32.
[[nodiscard]] std::vector<std::byte> stored_bytes(std::span<const float> values, DType dtype);

}  // namespace pleat
