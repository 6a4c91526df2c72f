#include "hdf5/columns.h"

#include <cstring>
#include <string_view>

#include "core/sha256.h"
#include "format/schema.h"
#include "hdf5/hdf5_types.h"

namespace pleat {
namespace {

constexpr const char* root = "/";

// values: one for each element of the space.
void write_attribute(const hdf5::File& file, const std::string& object, const std::string& name, const hdf5::Type& type,
                     const hdf5::Space& space, const void* values) {
  const std::string action = "write the attribute " + name + " of " + object;
  const hdf5::Attribute attribute(hdf5::require(H5Acreate_by_name(file.get(), object.c_str(), name.c_str(), type.get(),
                                                                  space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                                                action));
  hdf5::require(H5Awrite(attribute.get(), type.get(), values), action);
}

hdf5::Space scalar() { return hdf5::Space(hdf5::require(H5Screate(H5S_SCALAR), "describe a single value")); }

hdf5::DataSet make_text_dataset(const hdf5::File& file, const std::string& path, const hdf5::Type& type, hsize_t rows) {
  const std::string action = "create " + path;
  const hdf5::Space space(hdf5::require(H5Screate_simple(1, &rows, nullptr), action));
  const hdf5::Properties creation = dataset_properties();
  if (rows > 0) {
    // HDF5 refuses fletcher32 for strings of varying length: the filters see only references to the text.
    const hsize_t chunk = std::min<hsize_t>(rows, schema::string_chunk_rows);
    hdf5::require(H5Pset_chunk(creation.get(), 1, &chunk), action);
    hdf5::require(H5Pset_shuffle(creation.get()), action);
    hdf5::require(H5Pset_deflate(creation.get(), schema::deflate_level), action);
  }
  const hdf5::Properties link = link_properties();
  return hdf5::DataSet(hdf5::require(
      H5Dcreate2(file.get(), path.c_str(), type.get(), space.get(), link.get(), creation.get(), H5P_DEFAULT), action));
}

}  // namespace

void write_number(const hdf5::File& file, const char* name, const hdf5::Type& type, const void* value) {
  write_attribute(file, root, name, type, scalar(), value);
}

void write_number(const hdf5::File& file, const char* name, std::int64_t value) {
  write_number(file, name, hdf5::copy_of(H5T_STD_I64LE), &value);
}

void write_text_list(const hdf5::File& file, const std::string& object, const std::string& name,
                     const std::vector<std::string>& words) {
  std::vector<const char*> texts;
  texts.reserve(words.size());
  for (const std::string& word : words) texts.push_back(word.c_str());
  const hsize_t count = texts.size();
  const hdf5::Space space(hdf5::require(H5Screate_simple(1, &count, nullptr), "describe a list"));
  write_attribute(file, object, name, hdf5::text_type(), space, reinterpret_cast<const void*>(texts.data()));
}

void write_text(const hdf5::File& file, const std::string& object, const std::string& name, const std::string& value) {
  const char* const text = value.c_str();
  write_attribute(file, object, name, hdf5::text_type(), scalar(), reinterpret_cast<const void*>(&text));
}

// A block of rows at a time, so that a full disk is noticed early.
void write_text_column(const hdf5::File& file, const GuardedFile& guard, const std::string& path, std::size_t rows,
                       const std::function<std::string(std::size_t)>& value) {
  const std::string action = "write " + path;
  const hdf5::Type type = hdf5::text_type();
  const hdf5::DataSet dataset = make_text_dataset(file, path, type, rows);
  const hdf5::Space space(hdf5::require(H5Dget_space(dataset.get()), action));
  Sha256 sha256;
  std::vector<std::string> texts;
  std::vector<const char*> block;
  for (std::size_t begin = 0; begin < rows; begin += block.size()) {
    texts.resize(std::min<std::size_t>(rows - begin, schema::string_chunk_rows));
    for (std::size_t i = 0; i < texts.size(); ++i) texts[i] = value(begin + i);
    block.clear();
    for (const std::string& text : texts) {
      block.push_back(text.c_str());
      sha256.update(std::string_view(text.c_str(), std::strlen(text.c_str()) + 1));
    }
    const hsize_t start = begin;
    const hsize_t count = block.size();
    const hdf5::Space memory(hdf5::require(H5Screate_simple(1, &count, nullptr), action));
    hdf5::require(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, &start, nullptr, &count, nullptr), action);
    hdf5::require(H5Dwrite(dataset.get(), type.get(), memory.get(), space.get(), H5P_DEFAULT,
                           reinterpret_cast<const void*>(block.data())),
                  action);
    guard.throw_if_failed();
  }
  write_text(file, path, schema::attr_text_sha256, sha256.finish());
}

void write_numbers(const hdf5::File& file, const std::string& name, const std::vector<std::int64_t>& values) {
  const hsize_t count = values.size();
  const hdf5::Space space(hdf5::require(H5Screate_simple(1, &count, nullptr), "describe a list"));
  write_attribute(file, root, name, hdf5::copy_of(H5T_STD_I64LE), space, values.data());
}

}  // namespace pleat
