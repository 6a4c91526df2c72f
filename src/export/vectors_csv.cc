#include <fmt/format.h>

#include "export/csv.h"
#include "export/structure.h"
#include "export/vector_files.h"

namespace pleat {
namespace {

// Where each residue is: ",A,12,K".
class Places {
 public:
  Places(const VectorSource& source, const VectorItem& item) {
    if (source.kind() == VectorKind::per_residue) sequence_ = source.results().sequence(item.sequence);
  }

  void append(std::string& line, std::int64_t row) {
    if (sequence_.residues.empty()) return;
    const auto at = static_cast<std::size_t>(row);
    position_ = at > 0 && sequence_.chain[at] == sequence_.chain[at - 1] ? position_ + 1 : 1;
    line += fmt::format(",{},{},{}", chain_name(sequence_.chain[at]), position_, sequence_.residues[at]);
  }

 private:
  StoredSequence sequence_;
  std::int64_t position_ = 0;
};

}  // namespace

void write_vectors_csv(const VectorSource& source, const TextSink& sink) {
  std::string line = source.key() == VectorKey::id ? "id" : "sha256";
  if (source.kind() == VectorKind::per_residue) line += ",chain,position,residue";
  for (std::int64_t i = 0; i < source.width(); ++i) line += fmt::format(",dim_{}", i);
  sink(line + '\n');
  const auto width = static_cast<std::size_t>(source.width());
  for (const VectorItem& item : source.items()) {
    const std::string key = csv_field(item.key);
    Places places(source, item);
    source.read(item, [&](std::int64_t first, std::span<const float> values) {
      for (std::size_t at = 0; at < values.size(); at += width) {
        line = key;
        places.append(line, first + static_cast<std::int64_t>(at / width));
        for (const float value : values.subspan(at, width)) append_number(line, value);
        sink(line + '\n');
      }
    });
  }
}

}  // namespace pleat
