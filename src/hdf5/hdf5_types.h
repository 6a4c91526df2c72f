// The element types of the result file.
#pragma once

#include "format/element.h"
#include "hdf5/hdf5_handle.h"

namespace pleat::hdf5 {

// Throws Error(internal) for a type that the layout decides.
[[nodiscard]] Type type_of(Element element);

// Strings of any length, UTF-8.
[[nodiscard]] Type text_type();
// A copy of one of HDF5's own types, such as H5T_STD_I64LE.
[[nodiscard]] Type copy_of(hid_t type);

}  // namespace pleat::hdf5
