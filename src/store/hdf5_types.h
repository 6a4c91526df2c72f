// The element types of the result file.
#pragma once

#include <cstddef>

#include "store/hdf5_handle.h"
#include "store/record_parts.h"

namespace pleat::hdf5 {

[[nodiscard]] Type type_of(Element element);

// Strings of any length, UTF-8.
[[nodiscard]] Type text_type();
// Strings of `size` bytes, UTF-8, shorter ones filled up with zeros.
[[nodiscard]] Type fixed_text_type(std::size_t size);

// uint8 with the words of /records/status.
[[nodiscard]] Type status_type();
// uint8 with the words of /records/memory_rung.
[[nodiscard]] Type memory_rung_type();

// A copy of one of HDF5's own types, such as H5T_STD_I64LE.
[[nodiscard]] Type copy_of(hid_t type);

}  // namespace pleat::hdf5
