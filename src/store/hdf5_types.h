// The element types of the result file.
#pragma once

#include "hdf5_handle.h"
#include "pleat/core/dtype.h"

namespace pleat::hdf5 {

// IEEE binary16, little-endian; h5py reads it as numpy.float16.
[[nodiscard]] Type half_type();

// The type of embeddings, logits and contacts at rest. Throws Error(internal) for other types than float16, float32.
[[nodiscard]] Type float_type(DType type);

// Strings of any length, UTF-8.
[[nodiscard]] Type text_type();

// uint8 with the words of /records/status.
[[nodiscard]] Type status_type();

// A copy of one of HDF5's own types, such as H5T_STD_I64LE.
[[nodiscard]] Type copy_of(hid_t type);

}  // namespace pleat::hdf5
