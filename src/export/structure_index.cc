#include "export/structure_index.h"

#include <array>
#include <cmath>
#include <cstdio>

#include "core/printable.h"

namespace pleat {
namespace {

// Empty where there is no number.
std::string number_text(float value, const char* format) {
  if (!std::isfinite(value)) return {};
  std::array<char, 64> text{};
  const int length = std::snprintf(text.data(), text.size(), format, static_cast<double>(value));
  return {text.data(), static_cast<std::size_t>(length)};
}

}  // namespace

void StructureIndex::add(const IndexLine& line) {
  text_ += line.file + '\t' + one_line(line.record->id) + '\t' + std::to_string(line.record_number) + '\t' +
           std::to_string(line.record->sequence) + '\t' + std::to_string(line.length) + '\t' +
           number_text(line.mean_plddt, "%.2f") + '\t' + number_text(line.ptm, "%.4f") + '\t' +
           number_text(line.iptm, "%.4f") + '\t' + std::string(name_of(line.status)) + '\t' + one_line(line.reason) +
           '\n';
}

}  // namespace pleat
