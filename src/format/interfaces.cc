#include "format/interfaces.h"

#include <algorithm>
#include <cstring>
#include <span>

namespace pleat {

float StoredInterfaces::best(const std::vector<float>& matrix, std::size_t a, std::size_t b) const {
  return std::max(matrix[a * chains() + b], matrix[b * chains() + a]);
}

void put_interfaces(const StoredInterfaces& interfaces, SequenceResult& result) {
  for (const InterfaceColumn& column : interface_columns) {
    const std::span<const std::byte> bytes = std::as_bytes(std::span(interfaces.*column.values));
    result.extra[column.path].assign(bytes.begin(), bytes.end());
  }
}

StoredInterfaces interfaces_of(const SequenceResult& result) {
  StoredInterfaces interfaces;
  for (const InterfaceColumn& column : interface_columns) {
    const auto found = result.extra.find(column.path);
    if (found == result.extra.end()) continue;
    std::vector<float>& values = interfaces.*column.values;
    values.resize(found->second.size() / sizeof(float));
    std::memcpy(values.data(), found->second.data(), found->second.size());
  }
  return interfaces;
}

}  // namespace pleat
