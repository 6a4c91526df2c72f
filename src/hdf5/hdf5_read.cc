#include "hdf5/hdf5_read.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "core/file.h"
#include "core/file_descriptor.h"
#include "hdf5/hdf5_types.h"

namespace pleat::hdf5 {
namespace {

template <typename T>
T require_good(T value, const std::string& action) {
  return require(value, action, ErrorCode::bad_input);
}

std::string type_name(hid_t type) {
  const std::size_t bits = H5Tget_size(type) * 8;
  switch (H5Tget_class(type)) {
    case H5T_FLOAT: return "float" + std::to_string(bits);
    case H5T_INTEGER: return (H5Tget_sign(type) == H5T_SGN_NONE ? "uint" : "int") + std::to_string(bits);
    case H5T_STRING: return "utf8";
    case H5T_ENUM: return "enum";
    default: return "other";
  }
}

bool is_varying_text(hid_t type) { return H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) > 0; }

// Deflate makes at most 1,032 bytes of one: what is larger than that was never written.
constexpr std::int64_t most_compression = 1 << 11;

[[noreturn]] void throw_too_large(const std::string& path) {
  throw Error(ErrorCode::bad_input, path + " claims to be larger than what is stored of it can be");
}

std::int64_t product(std::int64_t a, std::int64_t b, const std::string& path) {
  std::int64_t result = 0;
  if (a < 0 || b < 0 || __builtin_mul_overflow(a, b, &result)) throw_too_large(path);
  return result;
}

// Texts as HDF5 gives them, in memory of its own.
class Texts {
 public:
  explicit Texts(std::int64_t count) : pointers_(static_cast<std::size_t>(count), nullptr) {}
  ~Texts() {
    for (char* const text : pointers_) H5free_memory(text);
  }
  Texts(const Texts&) = delete;
  Texts& operator=(const Texts&) = delete;

  [[nodiscard]] std::vector<char*>& pointers() { return pointers_; }
  [[nodiscard]] std::vector<std::string> strings() const {
    std::vector<std::string> strings;
    strings.reserve(pointers_.size());
    for (const char* const text : pointers_) strings.emplace_back(text == nullptr ? "" : text);
    return strings;
  }

 private:
  std::vector<char*> pointers_;
};

constexpr const char* root = "/";

// Throws where a damaged object does not even tell.
bool has_attribute(const File& file, const std::string& object, const char* name) {
  return require_good(H5Aexists_by_name(file.get(), object.c_str(), name, H5P_DEFAULT),
                      "look for the attribute " + std::string(name) + " of " + object) > 0;
}

// An attribute that is there. HDF5 refuses one that claims to be larger than what is stored of it.
class OpenAttribute {
 public:
  OpenAttribute(const File& file, const std::string& object, const char* name)
      : action_(std::string("read the attribute ") + name + " of " + object),
        id_(require_good(H5Aopen_by_name(file.get(), object.c_str(), name, H5P_DEFAULT, H5P_DEFAULT), action_)),
        type_(require_good(H5Aget_type(id_.get()), action_)),
        space_(require_good(H5Aget_space(id_.get()), action_)) {}

  [[nodiscard]] hid_t type() const { return type_.get(); }
  [[nodiscard]] bool is_scalar() const { return H5Sget_simple_extent_type(space_.get()) == H5S_SCALAR; }
  [[nodiscard]] int rank() const { return H5Sget_simple_extent_ndims(space_.get()); }

  [[nodiscard]] std::vector<std::int64_t> integers() const {
    std::vector<std::int64_t> values(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space_.get())));
    require_good(H5Aread(id_.get(), H5T_NATIVE_INT64, values.data()), action_);
    return values;
  }

  [[nodiscard]] std::vector<std::string> texts() const {
    Texts texts(H5Sget_simple_extent_npoints(space_.get()));
    require_good(H5Aread(id_.get(), type(), reinterpret_cast<void*>(texts.pointers().data())), action_);
    return texts.strings();
  }

 private:
  std::string action_;
  Attribute id_;
  Type type_;
  Space space_;
};

herr_t collect_dataset(hid_t group, const char* name, const H5L_info_t* link, void* paths) {
  if (link->type != H5L_TYPE_HARD) return 0;
  const Object object(H5Oopen(group, name, H5P_DEFAULT));
  if (object.get() < 0) return -1;
  if (H5Iget_type(object.get()) == H5I_DATASET) {
    static_cast<std::vector<std::string>*>(paths)->push_back(std::string("/") + name);
  }
  return 0;
}

}  // namespace

File open_for_reading(const std::string& path, std::size_t cache_bytes) {
  {
    const FileDescriptor readable(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!readable.is_open()) throw_system_error(errno, "open", path, ErrorCode::missing_input);
    std::array<std::byte, 1> first{};
    std::size_t got = 0;
    const int error = readable.read_at(0, first, got);
    if (error != 0) throw_system_error(error, "read", path, ErrorCode::missing_input);
  }
  if (H5Fis_hdf5(path.c_str()) <= 0) {
    throw Error(ErrorCode::bad_input, "'" + path + "' is not an HDF5 file", "give a file that pleat run wrote");
  }
  const Properties access(require(H5Pcreate(H5P_FILE_ACCESS), "prepare to read"));
  // Results are never changed in place; locks would only stop readers on file systems that have none.
  require(H5Pset_file_locking(access.get(), 0, 1), "prepare to read");
  require(H5Pset_cache(access.get(), 0, 521, cache_bytes, 0.75), "prepare to read");
  return File(require_good(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), "read '" + path + "'"));
}

std::optional<std::string> text_attribute(const File& file, const char* name) {
  if (!has_attribute(file, root, name)) return std::nullopt;
  const OpenAttribute attribute(file, root, name);
  if (!is_varying_text(attribute.type()) || !attribute.is_scalar()) return std::nullopt;
  return attribute.texts().front();
}

std::optional<std::int64_t> integer_attribute(const File& file, const char* name) {
  if (!has_attribute(file, root, name)) return std::nullopt;
  const OpenAttribute attribute(file, root, name);
  if (H5Tget_class(attribute.type()) != H5T_INTEGER || !attribute.is_scalar()) return std::nullopt;
  return attribute.integers().front();
}

std::vector<std::int64_t> integers_attribute(const File& file, const char* name) {
  if (!has_attribute(file, root, name)) return {};
  const OpenAttribute attribute(file, root, name);
  if (H5Tget_class(attribute.type()) != H5T_INTEGER || attribute.rank() != 1) return {};
  return attribute.integers();
}

std::vector<std::string> texts_attribute(const File& file, const std::string& object, const char* name) {
  if (!has_attribute(file, object, name)) return {};
  const OpenAttribute attribute(file, object, name);
  if (!is_varying_text(attribute.type())) return {};
  return attribute.texts();
}

OpenDataSet::OpenDataSet(const File& file, const std::string& path)
    : path_(path),
      id_(require_good(H5Dopen2(file.get(), path.c_str(), H5P_DEFAULT), "open " + path)),
      type_(require_good(H5Dget_type(id_.get()), "open " + path)) {
  const Space space(require_good(H5Dget_space(id_.get()), "open " + path_));
  const int rank = require_good(H5Sget_simple_extent_ndims(space.get()), "open " + path_);
  std::vector<hsize_t> size(static_cast<std::size_t>(rank));
  require_good(H5Sget_simple_extent_dims(space.get(), size.data(), nullptr), "open " + path_);
  shape_.assign(size.begin(), size.end());
  for (std::size_t i = 1; i < shape_.size(); ++i) row_values_ = product(row_values_, shape_[i], path_);
  raw_bytes_ = product(static_cast<std::int64_t>(H5Tget_size(type_.get())), row_values_, path_);
  if (!shape_.empty()) raw_bytes_ = product(raw_bytes_, shape_.front(), path_);
  // Rows without any value are counted like bytes: a reader makes room for each.
  const std::int64_t claimed = shape_.empty() ? raw_bytes_ : std::max(raw_bytes_, shape_.front());
  if (claimed / most_compression > static_cast<std::int64_t>(H5Dget_storage_size(id_.get()))) throw_too_large(path_);
}

void OpenDataSet::read_bytes(std::int64_t first, std::int64_t count, hid_t memory_type,
                             std::span<std::byte> out) const {
  const std::string action = "read " + path_;
  if (first < 0 || count < 0 || first > rows() - count) {
    throw Error(ErrorCode::bad_input, path_ + " has no rows " + std::to_string(first) + " to " +
                                          std::to_string(first + count - 1) + ", it has " + std::to_string(rows()));
  }
  if (out.size() != static_cast<std::size_t>(count * row_values_) * H5Tget_size(memory_type)) {
    throw Error(ErrorCode::bad_input,
                path_ + " has rows of " + std::to_string(row_values_) + " values, which is not what the format says");
  }
  if (out.empty()) return;
  std::vector<hsize_t> start(shape_.size(), 0);
  std::vector<hsize_t> size(shape_.begin(), shape_.end());
  start[0] = static_cast<hsize_t>(first);
  size[0] = static_cast<hsize_t>(count);
  const Space file_space(require_good(H5Dget_space(id_.get()), action));
  require_good(H5Sselect_hyperslab(file_space.get(), H5S_SELECT_SET, start.data(), nullptr, size.data(), nullptr),
               action);
  const Space memory(require_good(H5Screate_simple(static_cast<int>(size.size()), size.data(), nullptr), action));
  require_good(H5Dread(id_.get(), memory_type, memory.get(), file_space.get(), H5P_DEFAULT, out.data()), action);
}

std::vector<std::string> OpenDataSet::read_texts(std::int64_t first, std::int64_t count) const {
  if (shape_.size() != 1 || !is_varying_text(type_.get())) {
    throw Error(ErrorCode::bad_input, path_ + " is not a list of strings");
  }
  if (count < 0 || count > rows()) throw Error(ErrorCode::bad_input, path_ + " has fewer rows than other datasets");
  Texts texts(count);
  const Type memory = copy_of(type_.get());
  read(first, count, memory.get(), texts.pointers());
  return texts.strings();
}

bool OpenDataSet::is_text_column() const { return shape_.size() == 1 && is_varying_text(type_.get()); }

bool OpenDataSet::holds_pointers() const {
  return is_varying_text(type_.get()) || H5Tdetect_class(type_.get(), H5T_VLEN) > 0;
}

DataSetInfo OpenDataSet::info() const {
  DataSetInfo info;
  info.path = path_;
  info.shape = shape_;
  info.type = type_name(type_.get());
  info.raw_bytes = raw_bytes_;
  info.stored_bytes = static_cast<std::int64_t>(H5Dget_storage_size(id_.get()));
  return info;
}

bool has_dataset(const File& file, const char* path) {
  const std::string whole = path;
  for (std::size_t end = whole.find('/', 1);; end = whole.find('/', end + 1)) {
    if (H5Lexists(file.get(), whole.substr(0, end).c_str(), H5P_DEFAULT) <= 0) return false;
    if (end == std::string::npos) return true;
  }
}

std::vector<std::string> list_datasets(const File& file) {
  std::vector<std::string> paths;
  require_good(H5Lvisit(file.get(), H5_INDEX_NAME, H5_ITER_INC, collect_dataset, &paths), "list the datasets");
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace pleat::hdf5
