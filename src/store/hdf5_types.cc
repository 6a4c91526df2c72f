#include "hdf5_types.h"

#include "pleat/store/schema.h"

namespace pleat::hdf5 {

Type half_type() {
  Type type = copy_of(H5T_IEEE_F32LE);
  // Sign at bit 15, 5 bits of exponent from bit 10 (bias 15), 10 bits of fraction from bit 0.
  require(H5Tset_fields(type.get(), 15, 10, 5, 0, 10), "describe float16");
  require(H5Tset_size(type.get(), 2), "describe float16");
  require(H5Tset_ebias(type.get(), 15), "describe float16");
  return type;
}

Type float_type(DType type) {
  if (type == DType::float16) return half_type();
  if (type == DType::float32) return copy_of(H5T_IEEE_F32LE);
  throw Error(ErrorCode::internal, "results cannot be stored as " + std::string(name_of(type)));
}

Type text_type() {
  Type type = copy_of(H5T_C_S1);
  require(H5Tset_size(type.get(), H5T_VARIABLE), "describe strings");
  require(H5Tset_cset(type.get(), H5T_CSET_UTF8), "describe strings");
  return type;
}

Type status_type() {
  Type type(require(H5Tenum_create(H5T_STD_U8LE), "describe the status"));
  for (const schema::StatusWord& word : schema::status_words) {
    const auto value = static_cast<unsigned char>(word.status);
    require(H5Tenum_insert(type.get(), word.word, &value), "describe the status");
  }
  return type;
}

Type copy_of(hid_t type) { return Type(require(H5Tcopy(type), "copy a type")); }

}  // namespace pleat::hdf5
