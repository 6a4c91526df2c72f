#include "hdf5/hdf5_types.h"

#include "format/schema.h"

namespace pleat::hdf5 {
namespace {

// IEEE binary16, little-endian; h5py reads it as numpy.float16.
Type half_type() {
  Type type = copy_of(H5T_IEEE_F32LE);
  // Sign at bit 15, 5 bits of exponent from bit 10 (bias 15), 10 bits of fraction from bit 0.
  require(H5Tset_fields(type.get(), 15, 10, 5, 0, 10), "describe float16");
  require(H5Tset_size(type.get(), 2), "describe float16");
  require(H5Tset_ebias(type.get(), 15), "describe float16");
  return type;
}

// Strings of `size` bytes, shorter ones filled up with zeros.
Type fixed_text_type(std::size_t size) {
  Type type = copy_of(H5T_C_S1);
  require(H5Tset_size(type.get(), size), "describe strings");
  require(H5Tset_cset(type.get(), H5T_CSET_UTF8), "describe strings");
  require(H5Tset_strpad(type.get(), H5T_STR_NULLPAD), "describe strings");
  return type;
}

// uint8 with the words of /records/status.
Type status_type() {
  Type type(require(H5Tenum_create(H5T_STD_U8LE), "describe the status"));
  for (const schema::StatusWord& word : schema::status_words) {
    const auto value = static_cast<unsigned char>(word.status);
    require(H5Tenum_insert(type.get(), word.word, &value), "describe the status");
  }
  return type;
}

// uint8 with the words of /records/memory_rung.
Type memory_rung_type() {
  Type type(require(H5Tenum_create(H5T_STD_U8LE), "describe the rungs of memory"));
  unsigned char value = 0;
  for (const char* const word : schema::memory_rung_words) {
    require(H5Tenum_insert(type.get(), word, &value), "describe the rungs of memory");
    ++value;
  }
  return type;
}

}  // namespace

Type type_of(Element element) {
  switch (element) {
    case Element::uint8: return copy_of(H5T_STD_U8LE);
    case Element::uint16: return copy_of(H5T_STD_U16LE);
    case Element::int32: return copy_of(H5T_STD_I32LE);
    case Element::int64: return copy_of(H5T_STD_I64LE);
    case Element::float16: return half_type();
    case Element::float32: return copy_of(H5T_IEEE_F32LE);
    case Element::float64: return copy_of(H5T_IEEE_F64LE);
    case Element::text: return text_type();
    case Element::atom_name: return fixed_text_type(4);
    case Element::status: return status_type();
    case Element::memory_rung: return memory_rung_type();
    case Element::embedding_float:
    case Element::structure_float: break;
  }
  throw Error(ErrorCode::internal, "an element of no type");
}

Type text_type() {
  Type type = copy_of(H5T_C_S1);
  require(H5Tset_size(type.get(), H5T_VARIABLE), "describe strings");
  require(H5Tset_cset(type.get(), H5T_CSET_UTF8), "describe strings");
  return type;
}

Type copy_of(hid_t type) { return Type(require(H5Tcopy(type), "copy a type")); }

}  // namespace pleat::hdf5
